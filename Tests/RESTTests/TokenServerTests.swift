import HubDriver
import HubModel
import Testing

@testable import REST
@testable import StandIns

@Suite("REST: token servers that answer something else")
struct TokenServerTests {
    private static let recipe = """
        authentication: { kind: oauth2, token: /token }
        identity: { path: /me }
        entities:
          - native: item
            entity: product
            key: id
            read: { path: "/items/{key}" }
        """

    private func message(_ answer: StrictServer.Response) async throws -> String {
        let server = try await StrictServer { $0.path == "/token" ? answer : .init(200, [:]) }
        let driver = try RecipeFile(Self.recipe).driver(["url": server.url, "clientId": "hub", "clientSecret": "c"])
        let error = await failure { _ = try await driver.probe() }
        await driver.close()
        return try #require(error).message
    }

    @Test("A success is not shown: the token stands in it")
    func success() async throws {
        var form = StrictServer.Response(200)
        form.text = "access_token=s3cret&expires_in=3600"
        for answer in [form, .init(200, ["token": "s3cret", "expires_in": 3600]), .init(200, "s3cret")] {
            let message = try await message(answer)
            #expect(!message.contains("s3cret") && message.contains("(200)") && message.contains("no access_token"), "\(message)")
        }
    }

    @Test("A refusal is shown, in the server's words or as it came")
    func refusal() async throws {
        let told = try await message(.init(400, ["error": "invalid_client", "error_description": "No such client."]))
        #expect(told.contains("(400): No such client."), "\(told)")
        #expect(try await message(.init(403, ["reason": "blocked"])).contains("blocked"))
        #expect(try await message(.init(200, ["error": "slow_down"])).contains("slow_down"))
    }
}
