import Foundation

/// Where a server is: the URL that questions are sent to, and how it is called in reports.
struct RemoteAddress: Equatable, Sendable {
  /// With `/chat/completions`.
  let url: URL
  /// As it is shown and compared: host in small letters, no `/chat/completions`.
  let base: String
  let usesTLS: Bool
  /// Whether the host is this machine, or one whose address no router passes on.
  let isPrivate: Bool

  /// Reads a base URL.
  ///
  /// - Throws: `RemoteAddressError`. It never repeats the URL, which may hold a password.
  init(_ text: String) throws(RemoteAddressError) {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
      scheme == "http" || scheme == "https", let host = parts.host?.lowercased(), !host.isEmpty,
      (1...65_535).contains(parts.port ?? 1)
    else {
      throw RemoteAddressError("must be an address such as 'http://localhost:8000/v1'")
    }
    guard parts.user == nil, parts.password == nil else {
      throw RemoteAddressError(
        "has a user's name or a password in it. Take it out, and give the key with 'key'")
    }
    guard parts.query == nil, parts.fragment == nil else {
      throw RemoteAddressError(
        "has a '?' or a '#'. Give the address alone; a key is given with 'key'")
    }
    var path = parts.percentEncodedPath
    while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
    let ending = "/chat/completions"
    if path.hasSuffix(ending) { path.removeLast(ending.utf8.count) }
    let port = parts.port.map { ":\($0)" } ?? ""
    let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    base = "\(scheme)://\(name)\(port)\(path)"
    guard let url = URL(string: base + ending) else {
      throw RemoteAddressError("must be an address such as 'http://localhost:8000/v1'")
    }
    self.url = url
    usesTLS = scheme == "https"
    isPrivate = Self.isPrivate(host)
  }

  /// Whether the path is bare, which usually means that `/v1` was forgotten.
  var hasNoPath: Bool { url.path == "/chat/completions" }

  /// Addresses of this machine, of private networks (RFC 1918, RFC 4193) and of one link, written
  /// as numbers, and `localhost`. Other names may lead anywhere.
  static func isPrivate(_ host: String) -> Bool {
    let host = host.lowercased().trimmingCharacters(in: ["[", "]"])
    if host == "localhost" || host.hasSuffix(".localhost") { return true }
    var four = in_addr()
    if inet_pton(AF_INET, host, &four) == 1 {
      let value = UInt32(bigEndian: four.s_addr)
      return value >> 24 == 127 || value >> 24 == 10 || value >> 20 == 0xAC1
        || value >> 16 == 0xC0A8 || value >> 16 == 0xA9FE
    }
    var six = in6_addr()
    // A zone, as in fe80::1%eth0, is no part of the address.
    let address = host.split(separator: "%", maxSplits: 1).first.map(String.init) ?? host
    guard inet_pton(AF_INET6, address, &six) == 1 else { return false }
    let bytes = withUnsafeBytes(of: six) { Array($0) }
    let isLoopback = bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    return isLoopback || bytes[0] & 0xFE == 0xFC || (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80)
  }
}

/// What is wrong with an address, as the rest of a sentence that begins with `'url'`.
struct RemoteAddressError: Error, Equatable {
  let words: String

  init(_ words: String) { self.words = words }
}
