import ChatTemplates
import XCTest

final class RenderedChatTests: XCTestCase {}
