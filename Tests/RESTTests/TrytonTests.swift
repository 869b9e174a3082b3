import Foundation
import HTTPApplication
import HubDriver
import HubModel
import HubTestKit
import Testing

@testable import REST

/// Tryton's own REST interface, by the recipe that the driver ships.
@Suite("REST: Tryton, live", .serialized, .enabled(if: LiveTrytonREST.isThere))
struct TrytonTests {
    @Test("The driver keeps the contract")
    func contract() async throws {
        var options = ConformanceOptions()
        options.progress = { print($0) }
        let report = try await DriverConformance(try await TrytonRESTBench(), options).run()
        report.print()
        #expect(report.hasPassed)
        // The recipe declares neither changes nor a description of types.
        for check in [Check.capture, .discovery] {
            #expect(report.results(check).allSatisfy { if case .absent = $0 { true } else { false } })
        }
    }

    @Test("An error of the program is named, and leaves nothing")
    func serverError() async throws {
        let lines = try RecipeFile.shipped("tryton/recipe.yaml").split(separator: "\n", omittingEmptySubsequences: false)
        // Without its rules for texts the recipe lets something through that PostgreSQL does not take.
        let open = lines.filter { !$0.contains("without:") && !$0.hasSuffix("texts:") }.joined(separator: "\n")
        let bench = try await TrytonRESTBench(open)
        let driver = try #require(try await bench.makeDriver() as? any LookingUp)
        let reference = "customer-\(Int.random(in: 1...Int.max))"
        let answers = try await driver.apply([delivery(.create, "party.party", reference, ["name": "a\u{0}b"])])
        #expect(answers.first?.rejection?.rule == "server-error", "\(answers)")
        #expect(try await driver.lookUp([LookUp(native: "party.party", company: nil, reference: CanonicalID(reference))]) == [[]])
        await driver.close()
    }
}

enum LiveTrytonREST {
    static let url = ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_URL"]
    static let version = ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_VERSION"] ?? "8.0"

    /// False, and said so, where no Tryton with a REST interface is given.
    static let isThere: Bool = {
        if url == nil { print("skipped: Tryton's REST side, as MULTIPOINT_TRYTON_URL names no server (scripts/apps/tryton starts one)") }
        if version != "8.0" { print("skipped: Tryton's REST side, which Tryton \(version) does not have") }
        return url != nil && version == "8.0"
    }()
}

private struct TrytonRESTBench: DriverBench {
    let proxy: TCPProxy
    let recipe: RecipeFile
    let person: Person
    private let base: String
    private let key: String
    var faults: any FaultInjector { proxy }

    init(_ text: String? = nil) async throws {
        let parts = try #require(LiveTrytonREST.url).split(separator: "/")
        let place = parts[1].split(separator: ":")
        let port = try #require(place.last.flatMap { Int($0) })
        proxy = try TCPProxy(to: String(place[0]), port)
        base = "http://127.0.0.1:\(proxy.port)/\(parts[2])"
        recipe = try RecipeFile(try text ?? RecipeFile.shipped("tryton/recipe.yaml"))
        person = try await Person(url: try #require(LiveTrytonREST.url))
        key = try await person.applicationKey()
    }

    func makeDriver() async throws -> any Driver {
        try recipe.made(["url": base, "token": key, "answerMilliseconds": "2500", "settleMilliseconds": "2500"])
    }

    var samples: [Sample] {
        let person = person
        let sample = Sample("party.party") { mark in
            ["name": .string("Party \(mark)")]
        } change: { mark in
            ["name": .string("Name \(mark)")]
        }
        .with([.text("name")])
        .with([
            Breach("unknown-field") { delivery, _ in delivery.fields["nonsense"] = 1 },
            Breach("read-only") { delivery, _ in delivery.fields["full_name"] = "x" },
            Breach("invalid-text") { delivery, _ in delivery.fields["name"] = "a\u{0}b" },
            .cannotBeBroken("server-error", because: "what the recipe lets through breaks no program; a test of its own writes past it"),
            .cannotBeBroken("refused", because: "it stands for what no other rule says"),
        ])
        .altered { sample in
            sample.remove = { key in _ = try await person.call("model.party.party.write", [[try number(key)], ["active": false], [:]]) }
        }
        return [sample]
    }

    private func number(_ key: NativeKey) throws -> Value { .number(try #require(Number(key.rawValue))) }

    /// An administrator, by JSON-RPC.
    struct Person: Sendable {
        private let http: HTTPConnection
        private let session: String

        init(url: String) async throws {
            http = HTTPConnection(try HTTPSettings(url: url))
            let password = ProcessInfo.processInfo.environment["MULTIPOINT_TRYTON_PASSWORD"] ?? "admin"
            let login: Value = ["id": 1, "method": "common.db.login", "params": ["admin", ["password": .string(password)]]]
            let answer = try await http.send(.post("/rpc/", json: login, time: .seconds(20))).json()
            let list = try #require(answer["result"]?.array ?? answer.array)
            let id = try #require(list.first?.keyText)
            let token = try #require(list.dropFirst().first?.text)
            session = Data("admin:\(id):\(token)".utf8).base64EncodedString()
        }

        func call(_ method: String, _ parameters: [Value]) async throws -> Value {
            let body: Value = ["id": 1, "method": .string(method), "params": .array(parameters)]
            let headers = [HTTPCall.Header("Authorization", "Session \(session)")]
            let answer = try await http.send(.post("/rpc/", json: body, headers: headers, time: .seconds(20))).json()
            if let error = answer["error"], !error.isNull { throw DriverError(.protocolViolation, JSONText.text(error)) }
            return answer["result"] ?? answer
        }

        /// A key for the REST interface.
        func applicationKey() async throws -> String {
            let made = try await call("model.res.user.application.create", [[["user": 1, "application": "rest"]], [:]])
            let read = try await call("model.res.user.application.read", [made, ["key"], [:]])
            return try #require(read.array?.first?["key"]?.text)
        }
    }
}
