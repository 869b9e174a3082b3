import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubRuntime
import HubStore
import NIOHTTP1
import ReferenceApplication
import ReferenceCRM
import ReferenceERP
import Testing

@Suite(.serialized) struct QuestionTests {
    @Test func aPriceIsAnsweredByKeyCodeAndID() async throws {
        let office = try Office()
        let article = try await office.erp.createArticle(
            ["code": "wid-1", "name": "Widget", "price": .number(Number(2550, scale: 2)), "currency": "EUR", "unit": "pc"])
        try office.start()
        try await office.eventually("the article is golden") { try await !office.golden("product").isEmpty }
        let id = try #require(try await office.golden("product").first?.id)
        for product in ["native:\(article)", id.rawValue, "WID-1"] {
            let reply = try await office.ask("price", ["product": .string(product), "quantity": 3])
            #expect(reply.status == 200, "\(product): \(reply.body)")
            #expect(reply["says"]["unitPrice"] == .number(Number(2550, scale: 2)))
            #expect(reply["says"]["amount"] == .number(Number(7650, scale: 2)))
            #expect(reply["asOf"].text?.hasSuffix("Z") == true)
        }
    }

    @Test func whatIsWrongIsNamed() async throws {
        let office = try Office()
        let article = try await office.erp.createArticle(["code": "wid-1", "name": "Widget", "price": 5])
        try office.start()
        let product = Value.string("native:\(article)")
        let wrong: [(Value, String, String)] = [
            (["product": product, "qantity": 1], "qantity", "it has customer, product, quantity"), ([:], "product", "is missing"),
            (["product": product, "quantity": "many"], "quantity", "a number such as 12.50"),
            (["product": product, "date": "2026-02-30"], "date", "a day such as 2026-11-21"),
            (["product": "nothing"], "product", "the hub knows no product nothing: give its id in the hub, its code, or native:KEY"),
            (["product": product, "deadline": "soon"], "deadline", "2s or 1500ms"),
        ]
        for (arguments, member, words) in wrong {
            let reply = try await office.ask("price", arguments)
            #expect(reply.status == 422 && reply["member"].text == member, "\(reply.body)")
            #expect(reply["detail"].text?.contains(words) == true, "\(reply.body)")
        }
        let refused = try await office.ask("price", ["product": "native:999"])
        #expect(refused.status == 422 && refused["refused"]["rule"]?.text == "unknown-product", "\(refused.body)")
        let unknown = try await office.ask("weather", [:])
        #expect(unknown.status == 404 && unknown["detail"].text?.contains("it has price, stock, credit, validate") == true)
    }

    @Test func anOrderIsValidatedInTheHubsWordsAndInTheApplicationsOwn() async throws {
        let office = try Office()
        let partner = try await office.erp.createPartner(["name": "Acme", "credit_limit": 10, "on_hold": true])
        let article = try await office.erp.createArticle(["code": "wid-1", "name": "Widget", "price": 25, "stock": 1])
        try office.start()
        try await office.eventually("both are golden") {
            let products = try await office.golden("product")
            let customers = try await office.golden("customer")
            return !products.isEmpty && !customers.isEmpty
        }
        let customer = try #require(try await office.golden("customer").first?.id)
        let order: Value = [
            "customer": .string(customer.rawValue), "orderDate": "2026-11-21", "salesPerson": "NOBODY",
            "lines": [["id": "1", "product": "WID-1", "quantity": 3]],
        ]
        let native: Value = [
            "native": [
                "partner": .string(partner.rawValue), "order_date": "2026-11-21", "sales_person": "NOBODY",
                "lines": [["article": .string(article.rawValue), "quantity": 3]],
            ]
        ]
        for document in [order, native] {
            let reply = try await office.ask("validate", ["order": document])
            #expect(reply.status == 200, "\(reply.body)")
            let rules = reply["says"]["violations"]?.array?.compactMap { $0["rule"]?.text } ?? []
            #expect(rules == ["unknown-sales-person", "customer-on-hold", "credit-limit", "insufficient-stock"], "\(reply.body)")
            #expect(reply["says"]["valid"] == false)
        }
        let misspelt = try await office.ask("validate", ["order": ["custmer": "x"]])
        #expect(misspelt.status == 422 && misspelt["member"].text == "order.custmer", "\(misspelt.body)")
        #expect(try office.erp.file.documents(native: "sales_order").isEmpty, "nothing is written")
    }

    @Test func anApplicationThatIsDownIsNotWaitedFor() async throws {
        let office = try Office()
        let article = try await office.erp.createArticle(["code": "wid-1", "name": "Widget", "price": 5])
        try office.start()
        let question: Value = ["product": .string("native:\(article)")]
        try await office.eventually("it answers") { try await office.ask("price", question).status == 200 }
        try await office.erp.file.setOutage(true)
        let first = try await office.ask("price", question)
        #expect(first.status == 503 && first.headers.first(name: "Retry-After") != nil)
        #expect(first["cannotSay"].text?.contains("erp cannot be reached") == true && first["at"].text != nil, "\(first.body)")
        let begun = ContinuousClock.now
        let second = try await office.ask("price", question)
        #expect(second.status == 503 && ContinuousClock.now - begun < .milliseconds(500), "\(second.body)")
        try await office.erp.file.setOutage(false)
        try await office.eventually("it answers again") { try await office.ask("price", question).status == 200 }
    }

    @Test func aSlowApplicationIsWaitedForUntilTheDeadline() async throws {
        let office = try Office()
        let article = try await office.erp.createArticle(["code": "wid-1", "name": "Widget", "price": 5])
        try office.start()
        let question: Value = ["product": .string("native:\(article)")]
        try await office.eventually("it answers") { try await office.ask("price", question).status == 200 }
        // The longest delay; each call takes a random part of it.
        try await office.erp.file.setFaults(FaultPlan(seed: 3, latency: .seconds(60)))
        let begun = ContinuousClock.now
        let reply = try await office.client.ask("price", question, headers: ["Deadline": "200ms"])
        #expect(reply.status == 503 && reply["cannotSay"].text?.contains("gave no answer") == true, "\(reply.body)")
        #expect(ContinuousClock.now - begun < .seconds(2))
    }

    @Test func whoMayAskIsSaidByTheToken() async throws {
        let office = try Office()
        try office.start()
        let path = "/v1/ask/erp/price"
        #expect(try await office.send(.POST, path).status == 401)
        #expect(try await office.send(.POST, path, token: "asker-0123456789abcdeg").status == 401)
        #expect(try await office.send(.POST, path, token: Office.publisher).status == 403)
        #expect(try await office.send(.POST, "/v1/ask/crm/price", token: Office.asker).status == 403)
        #expect(try await office.send(.GET, "/health").status == 200)
        #expect(try await office.send(.GET, "/nowhere").status == 404)
    }
}
