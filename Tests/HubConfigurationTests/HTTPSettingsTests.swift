import Foundation
import HubModel
import Testing

@testable import HubConfiguration

@Suite("The http section")
struct HTTPSettingsTests {
    private static let secret = "0123456789abcdef"

    private static func folder(_ http: String) throws -> Folder {
        try Folder(["hub.yaml": soundConfiguration + "\n" + http + "\n", "erp.key": "k", "shop.token": secret + "\n"])
    }

    private static func mistakes(_ http: String) throws -> [String] { try folder(http).mistakes() }

    @Test("says where to listen, and who may do what")
    func sound() throws {
        let settings = try #require(
            try Self.folder(
                "http: { listen: 8080, bodyBytes: 2048, tokens: { shop: { secret: { file: shop.token }, publish: crm, ask: all } } }"
            )
            .load().http)
        #expect(settings.host == "127.0.0.1" && settings.port == 8080, "the loopback address unless told otherwise")
        #expect(settings.bodyBytes == 2048)
        #expect(
            settings.tokens == [.init(name: "shop", secret: Self.secret, publish: "crm", ask: ["crm", "erp"])], "\(settings.tokens)")
        let other = "http: { listen: \"[::1]:0\", tokens: { bell: { secret: { file: shop.token }, hook: erp } } }"
        let bell = try #require(try Self.folder(other).load().http)
        #expect(bell.host == "::1" && bell.port == 0 && bell.tokens.first?.hook == "erp" && bell.tokens.first?.ask == [])
        #expect(try Self.folder("").load().http == nil)
    }

    @Test(
        "that is wrong is named",
        arguments: [
            ("http: { tokens: {} }", "http.listen: missing"), ("http: { listen: 80x }", "http.listen: 80x is no address to listen at"),
            ("http: { listen: \"a:99999\" }", "http.listen: a:99999 is no address"), ("http: { listen: 80 }", "http.tokens: missing"),
            ("http: { listen: 80, tokens: {} }", "http.tokens: no token"), ("http: { listen: 80, port: 1 }", "http.port: unknown key"),
            ("http: { listen: 80, tokens: { a: { publish: crm } } }", "http.tokens.a.secret: missing"),
            ("http: { listen: 80, tokens: { a: { secret: abc, publish: crm } } }", "a secret must not stand in the configuration"),
            ("http: { listen: 80, tokens: { a: { secret: { env: CRM_KEY }, publish: crm } } }", "http.tokens.a.secret: it has 3 bytes"),
            ("http: { listen: 80, tokens: { a: { secret: { file: shop.token } } } }", "http.tokens.a: it may do nothing"),
            (
                "http: { listen: 80, tokens: { a: { secret: { file: shop.token }, publish: cmr } } }",
                "there is no application cmr; did you mean"
            ),
            ("http: { listen: 80, tokens: { a: { secret: { file: shop.token }, ask: [crm, nobody] } } }", "there is no application nobody"),
            (
                "http: { listen: 80, tokens: { a: { secret: { file: shop.token }, ask: crm }, b: { secret: { file: shop.token }, ask: crm } } }",
                "http.tokens.b.secret: the same as that of a"
            ),
            ("http: { listen: 80, bodyBytes: 1, tokens: {} }", "http.bodyBytes: expected a whole number from 1024"),
        ])
    func wrong(_ text: String, _ said: String) throws {
        let mistakes = try Self.mistakes(text)
        #expect(mistakes.contains { $0.contains(said) }, "\(mistakes)")
    }
}
