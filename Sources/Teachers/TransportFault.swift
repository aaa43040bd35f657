import Foundation
import Storage

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// What the network did.
enum TransportFault {
  /// - Parameter isWithinAnswer: Whether the reply's head was there already.
  static func fault(_ error: any Error, isWithinAnswer: Bool) -> ReplyFault {
    let code = (error as? URLError)?.code ?? URLError.Code(rawValue: (error as NSError).code)
    let words = (error as NSError).localizedDescription
    var fault: ReplyFault
    switch code {
    case .cannotConnectToHost:
      fault = ReplyFault(
        .againIfServerIsKnown, kind: "connection refused",
        "refuses connections. Is the server running, and is 'url' right?")
    case .cannotFindHost, .dnsLookupFailed:
      fault = ReplyFault(
        .againIfServerIsKnown, kind: "unknown host",
        "cannot be found: its host's name has no address. Is 'url' right?")
    case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
      .serverCertificateNotYetValid, .serverCertificateHasUnknownRoot, .clientCertificateRejected,
      .clientCertificateRequired:
      fault = noTLS("")
    // On Linux, all that is wrong with TLS has no code of its own; libcurl's words tell it.
    case .unknown where !isWithinAnswer && words.contains("SSL"):
      fault = noTLS(" (\(quoted(words)))")
    case .badURL:
      fault = ReplyFault(
        .stopJob, kind: "URL",
        "has an address that this system's Foundation does not take. If it is an IPv6 address, "
          + "write the host's name in 'url'.")
    case .unsupportedURL:
      // The address was looked at before; what libcurl does not support is then the reply.
      fault = ReplyFault(
        .againIfServerIsKnown, kind: "not HTTP", "does not speak HTTP. Is 'url' right?")
    case .notConnectedToInternet:
      fault = ReplyFault(
        .againIfServerIsKnown, kind: "no network",
        "cannot be reached: this machine has no way there. Is 'url' right?")
    default:
      fault =
        isWithinAnswer
        ? ReplyFault(.again, kind: "cut short", "broke the connection off within the answer.")
        : ReplyFault(.again, kind: "connection lost", "broke the connection off without an answer.")
    }
    fault.isTransport = true
    return fault
  }

  private static func noTLS(_ detail: String) -> ReplyFault {
    ReplyFault(
      .againIfServerIsKnown, kind: "TLS",
      "could not prove who it is, or speaks no TLS\(detail). Is its certificate valid, for this "
        + "name, and from an authority that this system trusts?")
  }
}
