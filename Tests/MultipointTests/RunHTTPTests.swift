import Foundation
import HubModel
import ReferenceERP
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("multipoint run with an http section")
struct RunHTTPTests {
    private static let token = "0123456789abcdef"

    private static let configuration =
        Program.configuration.replacing("{ bootstrap.servers: { file: bus.address } }", with: "{ embedded: true }") + """
            http: { listen: "127.0.0.1:0", tokens: { portal: { secret: { file: portal.token }, ask: [erp] } } }

            """

    /// Where the hub says that it listens; nil where it does not say so within 20 s.
    private static func port(_ errors: FileHandle) -> Int? {
        var text = ""
        let end = Date(timeIntervalSinceNow: 20)
        while Date.now < end {
            let more = errors.availableData
            if more.isEmpty { return nil }
            text += String(decoding: more, as: UTF8.self)
            guard let place = text.range(of: "listening at 127.0.0.1:") else { continue }
            let digits = text[place.upperBound...].prefix { $0.isNumber }
            // The whole line has to be there.
            if digits.endIndex < text.endIndex { return Int(digits) }
        }
        return nil
    }

    private static func request(_ port: Int, _ path: String, _ body: String? = nil) async throws -> (status: Int, text: String) {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        if let body {
            request.httpMethod = "POST"
            request.httpBody = Data(body.utf8)
            request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        return (try #require(response as? HTTPURLResponse).statusCode, String(decoding: data, as: UTF8.self))
    }

    @Test("listens, answers as `ask` does, and stops within 10 s")
    func listens() async throws {
        let program = try Program(files: Program.files.merging(["hub.yaml": Self.configuration, "portal.token": Self.token]) { $1 })
        let erp = try ERPApplication(path: program.folder + "/data/erp.db")
        let article = try await erp.createArticle(["code": "wid-1", "name": "Widget", "price": 5, "stock": 3])
        let check = try program.run("check")
        #expect(check.output.contains("\nhttp listens at 127.0.0.1:0 for portal\n"), "\(check.output)\(check.errors)")
        let process = program.process(["run"])
        let errors = Pipe()
        process.standardOutput = errors
        process.standardError = errors
        try process.run()
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        let port = try #require(Self.port(errors.fileHandleForReading))
        #expect(try await Self.request(port, "/health").status == 200)
        var answer = try await Self.request(port, "/v1/ask/erp/stock", "{\"product\":\"native:\(article)\",\"quantity\":2}")
        for _ in 0..<100 where answer.status == 503 {
            // The hub has not met the application yet.
            try await Task.sleep(for: .milliseconds(50))
            answer = try await Self.request(port, "/v1/ask/erp/stock", "{\"product\":\"native:\(article)\",\"quantity\":2}")
        }
        let asked = try program.run("ask", "erp", "stock", "product=native:\(article)", "quantity=2", "--json")
        let says = answer.text.firstRange(of: /"says":\{[^}]*\}/).map { String(answer.text[$0]) }
        #expect(answer.status == 200 && asked.output.contains(says ?? "nothing"), "\(answer.text) \(asked.output)")
        let begun = ContinuousClock.now
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && ContinuousClock.now - begun < .seconds(10))
    }
}
