import XCTest

@testable import Verification

final class ArithmeticTests: XCTestCase {
  private func integer(_ text: String) throws -> BigInteger {
    let isNegative = text.hasPrefix("-")
    let value = try XCTUnwrap(BigInteger(digits: text.utf8.dropFirst(isNegative ? 1 : 0)))
    return isNegative ? -value : value
  }

  func testDigitsComeBack() throws {
    for text in [
      "0", "1", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
      "18446744073709551616", "1000000000000000000000000000000",
      "-340282366920938463463374607431768211456",
    ] {
      XCTAssertEqual(try integer(text).description, text)
    }
    XCTAssertEqual(BigInteger(digits: "zz".utf8, base: 36), BigInteger(1_295))
    XCTAssertNil(BigInteger(digits: "12".utf8, base: 2))
  }

  func testLaws() {
    var state: UInt64 = 11
    func random() -> BigInteger {
      var limbs: [UInt32] = []
      state = state &* 6_364_136_223_846_793_005 &+ 1
      for _ in 0..<Int(state >> 61) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // Runs of ones and zeros are where carries and guesses of quotients go wrong.
        limbs.append(state >> 62 == 0 ? .max : state >> 62 == 1 ? 0 : UInt32(state >> 32))
      }
      return BigInteger(magnitude: limbs, isNegative: state & 4096 == 0)
    }
    for _ in 0..<5_000 {
      let (a, b, c) = (random(), random(), random())
      XCTAssertEqual((a + b) * c, a * c + b * c)
      XCTAssertEqual((a - b) + b, a)
      XCTAssertEqual((a << 37) >> 37, a)
      if !b.isZero {
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        XCTAssertEqual(quotient * b + remainder, a)
        XCTAssertLessThan(remainder.magnitude, b.magnitude)
        XCTAssertTrue(remainder.isZero || remainder.isNegative == a.isNegative)
      }
      let root = a.magnitude.squareRoot
      XCTAssertLessThanOrEqual(root * root, a.magnitude)
      XCTAssertLessThan(a.magnitude, (root + .one) * (root + .one))
      XCTAssertEqual(a < b, (a - b).isNegative)
    }
  }

  func testFractions() {
    XCTAssertEqual(Rational(6, -4).description, "-3/2")
    XCTAssertEqual(Rational(1, 3) + Rational(1, 6), Rational(1, 2))
    XCTAssertEqual(Rational(-7, 2).floor, BigInteger(-4))
    XCTAssertEqual(Rational(2, 3).power(-3), Rational(27, 8))
    XCTAssertEqual(Rational(decimal: Array("0.1(6)".utf8)), Rational(1, 6))
    XCTAssertEqual(Rational(decimal: Array("1.5e-3".utf8)), Rational(3, 2_000))
    XCTAssertNil(Rational(decimal: Array("1e99999".utf8)))
  }

  /// Values to 60 digits, from tables.
  func testHighPrecision() throws {
    func digits(_ value: HighPrecision) -> String {
      let scaled = value * HighPrecision(Rational(BigInteger(10).power(60)))
      return scaled.floor.map { "\($0)" } ?? ""
    }
    XCTAssertEqual(digits(.pi), "3141592653589793238462643383279502884197169399375105820974944")
    XCTAssertEqual(
      digits(try XCTUnwrap(HighPrecision.one.exponential)),
      "2718281828459045235360287471352662497757247093699959574966967")
    XCTAssertEqual(
      digits(HighPrecision(2).logarithm),
      "693147180559945309417232121458176568075500134360255254120680")
    XCTAssertEqual(
      digits(HighPrecision(2).squareRoot),
      "1414213562373095048801688724209698078569671875376948073176679")
    let (sine, cosine) = try XCTUnwrap(HighPrecision.one.sineAndCosine)
    XCTAssertEqual(digits(sine), "841470984807896506652502321630298999622563060798371065672751")
    XCTAssertEqual(digits(cosine), "540302305868139717400936607442976603732310420617922227670097")
    XCTAssertEqual(
      digits(HighPrecision.one.inverseTangent),
      "785398163397448309615660845819875721049292349843776455243736")
  }
}
