import Foundation
import HTTPApplication
import HubDriver
import HubModel
import Synchronization
import Testing

@testable import REST
@testable import StandIns

@Suite("REST: what failures mean")
struct DriverTests {
    /// A driver of a one-type recipe before a server that answers so.
    private func driver(_ more: String = "", token: String = "token: { header: ETag }", _ service: @escaping StrictServer.Service)
        async throws -> (RESTDriver, StrictServer)
    {
        let server = try await StrictServer(service)
        let text = """
            identity: { path: /me, instance: id }
            times: { answerMilliseconds: 2000, settleMilliseconds: 2000 }
            errors: { text: message }
            \(more)
            entities:
              - native: item
                entity: product
                key: id
                \(token)
                reference: ref
                read: { path: "/items/{key}" }
                create: { path: /items, tells: key }
                update: { path: "/items/{key}" }
                lookUp: { path: "/items?ref={reference}" }
            """
        let driver = try RecipeFile(text).driver(["url": server.url, "token": "t0ken", "key": "k3y", "user": "u", "password": "p"])
        return (driver, server)
    }

    private let update = delivery(.update, "item", "product-1", key: "1", ["name": "x"], token: "\"v1\"")

    @Test("Each status has its meaning", arguments: [400, 403, 404, 409, 410, 412, 422, 423, 429, 500, 502, 503, 504])
    func statuses(status: Int) async throws {
        let (driver, _) = try await driver { _ in .init(status, ["message": "No."]) }
        let answer = try await driver.one(update)
        switch (status, answer) {
        case (400, .rejected(let rejection)), (403, .rejected(let rejection)), (409, .rejected(let rejection)),
            (422, .rejected(let rejection)):
            #expect(rejection == Rejection(rule: "refused", text: "No."))
        case (404, .gone), (410, .gone), (412, .changed), (500, .noAnswer), (502, .noAnswer), (504, .noAnswer): break
        case (423, .later(let time, _)), (429, .later(let time, _)), (503, .later(let time, _)): #expect(time == .seconds(1))
        default: Issue.record("\(status) was answered as \(answer)")
        }
        await driver.close()
    }

    @Test("What the recipe has wrong is told as such", arguments: [428, 415, 405, 301])
    func configuration(status: Int) async throws {
        let (driver, _) = try await driver { _ in .init(status, ["message": "No."], ["Location": "http://elsewhere.example/"]) }
        let error = await failure { _ = try await driver.one(update) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(String(status)) == true)
        if status == 428 { #expect(error?.message.contains("declare the token") == true) }
        await driver.close()
    }

    @Test("A recipe's statuses go before the standard")
    func ownStatuses() async throws {
        let server = try await StrictServer { request in .init(request.path == "/items/1" ? 409 : 500, ["message": "No."]) }
        let text = """
            identity: { path: /me }
            errors: { statuses: { changed: [409], retry: [500] } }
            entities:
              - native: item
                entity: product
                key: id
                token: v
                read: { path: "/items/{key}" }
                update: { path: "/items/{key}" }
            """
        let driver = try RecipeFile(text).driver(["url": server.url])
        #expect(try await driver.one(update) == .changed)
        if case .retry = try await driver.one(delivery(.update, "item", "r", key: "2", ["name": "x"], token: "1")) {
        } else {
            Issue.record("500 is to be tried again")
        }
        await driver.close()
    }

    @Test("Retry-After is kept, as seconds and as a date")
    func retryAfter() async throws {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = formatter.string(from: Date().addingTimeInterval(120))
        for (text, least, most) in [("7", 7, 7), (date, 100, 120)] {
            let (driver, _) = try await driver { _ in .init(429, nil, ["Retry-After": text]) }
            guard case .later(let time, _) = try await driver.one(update) else {
                Issue.record("429 is to be tried again")
                return
            }
            #expect(time >= .seconds(least) && time <= .seconds(most))
            await driver.close()
        }
    }

    @Test("Credentials go where the recipe says", arguments: ["{ kind: bearer }", "{ kind: basic }", "{ kind: header, header: X-Key }"])
    func credentials(kind: String) async throws {
        let (driver, server) = try await driver("authentication: \(kind)") { _ in .init(200, ["id": "7"]) }
        #expect(try await driver.probe().instance == "7")
        let headers = try #require(server.requests.first).headers
        #expect(headers["authorization"] == ["{ kind: bearer }": "Bearer t0ken", "{ kind: basic }": "Basic dTpw"][kind])
        #expect(headers["x-key"] == (kind.contains("X-Key") ? "k3y" : nil))
        await driver.close()
        let (refused, _) = try await self.driver("authentication: \(kind)") { _ in .init(401, ["message": "Who?"]) }
        #expect(await failure { _ = try await refused.probe() }?.code == .unauthorised)
        await refused.close()
    }

    @Test("The day's budget keeps its reserve for creates")
    func budget() async throws {
        let limits = "limits: { perDay: 8, reserve: 4, reserveFor: [create] }"
        let (driver, server) = try await driver(limits, token: "") { request in
            request.method == "GET" && request.path == "/items"
                ? .init(200, []) : .init(request.method == "POST" ? 201 : 200, ["id": "1", "name": "x", "ref": "r"])
        }
        // A read and a comparison: one request, and what was promised besides it is free again.
        let same = delivery(.update, "item", "r", key: "1", ["name": "x"], expected: ["name": "x"])
        for _ in 0..<2 { #expect(try await driver.one(same).document != nil) }
        guard case .later(let time, let reason) = try await driver.one(same) else {
            Issue.record("the reserve was given away")
            return
        }
        #expect(time > .zero && reason.contains("reserve"))
        #expect(try await driver.one(delivery(.create, "item", "r", ["name": "x"])).document != nil)
        let error = await failure { _ = try await driver.read([ReadRequest(native: "item", company: nil, key: "1")]) }
        #expect(error?.code == .unreachable)
        #expect(server.requests.count == 4)
        await driver.close()
    }
}

@Suite("REST: OAuth, tokens against forgery, batches, questions")
struct ProtocolTests {
    @Test("A token that is refused is renewed once, and one token serves many calls")
    func oauth() async throws {
        let bench = try await PlainBench()
        let driver = try bench.recipe.driver(bench.values)
        let order: Fields = ["code": "A", "name": "One"]
        let made = try #require(try await driver.one(delivery(.create, "customer", "customer-1", order)).document)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await driver.read([ReadRequest(native: "customer", company: nil, key: made.key)]) } }
            try await group.waitForAll()
        }
        #expect(bench.service.state.withLock { $0.issued } == 1)
        bench.service.state.withLock { $0.tokens = [] }
        let changed = try await driver.one(delivery(.update, "customer", "customer-1", key: made.key, ["name": "Two"], token: made.token))
        #expect(changed.document?.fields["name"] == "Two")
        #expect(bench.service.state.withLock { $0.issued } == 2)
        await driver.close()
        let wrong = try bench.recipe.driver(bench.values.merging(["clientSecret": "no"]) { $1 })
        #expect(await failure { _ = try await wrong.probe() }?.code == .unauthorised)
        await wrong.close()
    }

    @Test("A token's life is cut before its end", arguments: [(3600, 3540), (60, 30), (0, 0)] as [(Int64, Int64)])
    func life(seconds: Int64, used: Int64) { #expect(Credentials.life(seconds) == .seconds(used)) }

    @Test("A create repeated by reference is made once; what people made of it stays")
    func upsert() async throws {
        let bench = try await PlainBench()
        let driver = try bench.recipe.driver(bench.values)
        let create = delivery(.create, "customer", "customer-9", ["code": "B", "name": "One"])
        let made = try #require(try await driver.one(create).document)
        try bench.service.edit("customers", made.key.rawValue, ["name": "By hand"])
        let again = try #require(try await driver.one(create).document)
        #expect(again.key == made.key && again.fields["name"] == "By hand")
        await driver.close()
    }

    private func odata(csrf: Bool) async throws -> (BusinessCentralBench, RESTDriver) {
        let text = try RecipeFile.shipped("business-central/recipe.yaml") + (csrf ? "\ncsrf: { path: /companies }" : "")
        let bench = try await BusinessCentralBench(text)
        bench.service.state.withLock { $0.needsForgeryToken = csrf }
        return (bench, try bench.recipe.driver(bench.values, companies: ["us": ODataService.company]))
    }

    private func customer(_ reference: String, _ fields: Fields) -> Delivery {
        delivery(.create, "customer", reference, company: ODataService.company, fields)
    }

    @Test("A token against forgery is fetched with its session, kept, and fetched again when it is refused")
    func forgery() async throws {
        let (bench, driver) = try await odata(csrf: true)
        #expect(try await driver.one(customer("customer-1", ["displayName": "One"])).document != nil)
        #expect(try await driver.one(customer("customer-2", ["displayName": "Two"])).document != nil)
        func fetches() -> Int { bench.server.requests.filter { $0.headers["x-csrf-token"]?.lowercased() == "fetch" }.count }
        #expect(fetches() == 1)
        bench.service.state.withLock { $0.forgery = "f2" }
        #expect(try await driver.one(customer("customer-3", ["displayName": "Three"])).document != nil)
        #expect(fetches() == 2)
        await driver.close()
    }

    @Test("A batch is one request; a bad delivery in it hurts no other")
    func batch() async throws {
        let (bench, driver) = try await odata(csrf: false)
        _ = try await driver.probe()
        let before = bench.server.requests.count
        let answers = try await driver.apply([
            customer("customer-1", ["displayName": "One"]), customer("customer-2", ["nonsense": 1, "displayName": "x"]),
            customer("customer-3", ["displayName": "Three"]),
        ])
        #expect(answers.map { $0.document?.fields["displayName"]?.text } == ["One", nil, "Three"])
        #expect(answers[1].rejection?.rule == "unknown-field")
        #expect(bench.server.requests.count == before + 1)
        #expect(bench.server.requests.last?.path.hasSuffix("/$batch") == true)
        await driver.close()
    }

    @Test("An order's lines and head are one change set: one bad line, and nothing is changed")
    func changeSet() async throws {
        let (bench, driver) = try await odata(csrf: false)
        let company = ODataService.company
        let (customer, item) = bench.service.state.withLock {
            ($0.tables["customers"]?.inOrder.first?.key ?? "", $0.tables["items"]?.inOrder.first?.key ?? "")
        }
        func line(_ sequence: Int64, _ quantity: String) -> Value {
            ["sequence": .number(Number(sequence)), "itemId": .string(item), "quantity": number(quantity)]
        }
        let create = delivery(
            .create, "salesOrder", "order-1", company: company,
            ["customerId": .string(customer), "email": "a", "salesOrderLines": [line(1, "1"), line(2, "2")]])
        let made = try #require(try await driver.one(create).document)
        func update(_ lines: [Value], _ email: String, _ token: VersionToken?) -> Delivery {
            delivery(
                .update, "salesOrder", "order-1", key: made.key, company: company,
                ["email": .string(email), "salesOrderLines": .array(lines)],
                token: token)
        }
        let bad = try await driver.one(update([line(1, "5"), line(3, "1.1234567")], "b", made.token))
        #expect(bad.rejection?.rule == "invalid-value")
        let left = try #require(try await driver.read([ReadRequest(native: "salesOrder", company: company, key: made.key)]).first ?? nil)
        #expect(left.fields == made.fields && left.token == made.token)
        let good = try #require(try await driver.one(update([line(1, "5"), line(3, "1")], "b", made.token)).document)
        let lines = good.fields["salesOrderLines"]?.array ?? []
        #expect(lines.map { $0["sequence"]?.integer } == [1, 3] && lines.first?["quantity"] == 5 && good.fields["email"] == "b")
        #expect(try await driver.one(update([line(1, "6")], "c", made.token)) == .changed)
        await driver.close()
    }

    @Test("Questions are asked and answered by the recipe")
    func questions() async throws {
        let bench = try await PlainBench()
        let driver = try bench.recipe.driver(bench.values)
        let made = try #require(
            try await driver.one(delivery(.create, "product", "product-1", ["code": "P", "price": number("12.3400")])).document)
        func ask(_ product: String) async throws -> FunctionReply {
            try await driver.answer(Question(function: "price", company: nil, arguments: ["product": .string(product), "quantity": 2]))
        }
        let asOf = try #require(MomentText.instant("2026-11-21T10:00:00Z"))
        #expect(try await ask(made.key.rawValue) == .says(["price": number("12.34"), "currency": "EUR"], asOf: asOf))
        guard case .refused(let rejection) = try await ask("nothing") else {
            Issue.record("an unknown product has a price")
            return
        }
        #expect(rejection.field == "product")
        #expect(driver.manifest.functions.map(\.name) == ["price"])
        if case .cannotSay = try await driver.answer(Question(function: "stock", company: nil, arguments: Fields())) {
        } else {
            Issue.record("stock is not declared")
        }
        await driver.close()
        let (server, central) = try await odata(csrf: false)
        // It listens for as long as somebody holds it.
        defer { withExtendedLifetime(server) {} }
        let item = try #require(
            try await central.one(delivery(.create, "item", "p", company: ODataService.company, ["displayName": "I"])).document)
        let question = Question(function: "stock", company: ODataService.company, arguments: ["product": .string(item.key.rawValue)])
        guard case .says(let fields, _) = try await central.answer(question) else {
            Issue.record("stock is not told")
            return
        }
        #expect(fields["onHand"]?.integer ?? 0 > 0)
        await central.close()
    }

    @Test("A link to another address is not followed")
    func links() async throws {
        let server = try await StrictServer { request in
            request.path == "/items"
                ? .init(200, ["items": [["id": "1"]], "next": "http://elsewhere.example/items?page=2"]) : .init(200, [:])
        }
        let text = """
            identity: { path: /me }
            entities:
              - native: item
                entity: product
                key: id
                list: { path: /items, at: items, paging: { kind: link, next: next } }
            """
        let driver = try RecipeFile(text).driver(["url": server.url])
        let first = try await driver.page(native: "item", company: nil, after: nil, limit: 10)
        #expect(first.documents.map(\.key) == ["1"] && first.next != nil)
        let error = await failure { _ = try await driver.page(native: "item", company: nil, after: first.next, limit: 10) }
        #expect(error?.code == .configuration && error?.message.contains("elsewhere.example") == true)
        await driver.close()
    }
}
