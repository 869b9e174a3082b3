import HubDriver
import HubModel
import HubRules
import HubStore
import Testing

@testable import HubRuntime

struct QuestionFormTests {
    private static let function = FunctionManifest(
        name: "price", summary: "",
        parameters: [
            .company, FunctionParameter("product", .reference("product"), isRequired: true, help: "what"),
            FunctionParameter("amount", .decimal, help: ""), FunctionParameter("note", .text, help: ""),
            FunctionParameter("day", .date, help: ""), FunctionParameter("order", .document, help: ""),
        ], results: [])

    private static func form(_ companies: [CompanyID: String]) throws -> QuestionForm {
        let manifest = Manifest(
            driver: "d", version: "1", summary: "", entities: [], settleTime: .seconds(1), answerTime: .seconds(1), window: "",
            functions: [function])
        var product = EntityPolicy("product")
        product.match = ["code"]
        let plan = HubPlan(
            hub: "t", entities: [product],
            applications: [ApplicationPlan(id: "erp", manifest: manifest, mappings: [], companies: companies)])
        return try QuestionForm(plan: plan, application: "erp", function: "price")
    }

    private func mistake(_ form: QuestionForm, _ arguments: Fields, in store: (any StoreTransaction)? = nil) throws -> QuestionMistake? {
        guard case .failure(let mistake) = try form.question(arguments, in: store) else { return nil }
        return mistake
    }

    @Test func argumentsBecomeWhatTheDriverIsPromised() throws {
        let form = try Self.form(["fr": "1", "us": "3"])
        let question = try form.question(
            ["company": "us", "product": "native:7", "amount": "1.50", "note": 12, "day": "2026-02-28", "order": ["native": ["a": 1]]],
            in: nil
        ).get()
        #expect(question.company == "3" && question.function == "price")
        #expect(question.arguments["amount"] == .number(Number(150, scale: 2)))
        #expect(question.arguments["note"] == "12" && question.arguments["product"] == "7" && question.arguments["order"] == ["a": 1])
        #expect(question.arguments["company"] == nil, "it stands beside the arguments")
        #expect(try form.question(["product": "native:7", "amount": .null], in: nil).get().arguments.names == ["product"])
    }

    @Test func theOneCompanyNeedNotBeNamed() throws {
        #expect(try Self.form(["fr": "1"]).question(["product": "native:7"], in: nil).get().company == "1")
        #expect(try Self.form(["fr": "1", "us": "3"]).question(["product": "native:7"], in: nil).get().company == nil)
        #expect(try Self.form([:]).question(["product": "native:7"], in: nil).get().company == nil)
        let several = try mistake(Self.form(["fr": "1", "us": "3"]), ["product": "native:7", "company": "uk"])
        #expect(several?.parameter == "company" && several?.text == "\"uk\" is no company that erp keeps; those are fr, us")
        let none = try mistake(Self.form([:]), ["product": "native:7", "company": "fr"])
        #expect(none?.text.contains("the hub knows no companies of erp") == true)
    }

    @Test func whatCannotBeIsRefusedByItsParameter() throws {
        let form = try Self.form([:])
        let product = Value.string("native:7")
        let wrong: [(Fields, String)] = [
            ([:], "product"), (["product": "native:"], "product"), (["product": true], "product"), (["product": product, "x": 1], "x"),
            (["product": product, "amount": "1,5"], "amount"), (["product": product, "amount": [1]], "amount"),
            (["product": product, "day": "28.02.2026"], "day"), (["product": product, "day": "2026-02-29"], "day"),
            (["product": product, "note": ""], "note"), (["product": product, "order": "text"], "order"),
            (["product": product, "order": ["a": 1]], "order"), (["product": "anything"], "product"),
        ]
        for (arguments, parameter) in wrong { #expect(try mistake(form, arguments)?.parameter == parameter, "\(arguments)") }
    }

    @Test func documentsAreFoundByIDAndByWhatTheyAreMatchedBy() throws {
        let form = try Self.form([:])
        let store = MemoryStore()
        try store.write { store in
            for (id, code) in [("product-1-1", "a"), ("product-1-2", "b"), ("product-1-3", "b")] as [(CanonicalID, String)] {
                try store.put(GoldenRecord(id: id, entity: "product", version: Version(generation: 1, number: 1)))
                try store.putMatch("product", "code", code, id)
            }
            try store.put(GoldenRecord(id: "customer-1-9", entity: "customer", version: Version(generation: 1, number: 1)))
            var state = TargetState()
            state.key = "17"
            try store.put(state, Target("erp", .shared, "product-1-1"), "product")
        }
        let replies = try store.write { store in
            try ["product-1-1", " A ", "b", "product-1-2", "customer-1-9", "nothing"].map {
                try form.question(["product": .string($0)], in: store)
            }
        }
        #expect(try replies[0].get().arguments["product"] == "17")
        #expect(try replies[1].get().arguments["product"] == "17")
        let words = [
            (2, "b stands for 2 documents"), (3, "product-1-2 is not in erp"), (4, "customer-1-9 is a document of type customer"),
            (5, "the hub knows no product nothing: give its id in the hub, its code, or native:KEY"),
        ]
        for (place, text) in words {
            guard case .failure(let mistake) = replies[place] else {
                Issue.record("\(place) was answered")
                continue
            }
            #expect(mistake.text.contains(text), "\(mistake)")
        }
    }

    @Test func whatThereIsIsSaid() throws {
        let plan = try Self.form([:]).plan
        #expect {
            try QuestionForm(plan: plan, application: "crm", function: "price")
        } throws: { "\($0)" == "there is no application crm; there are erp" }
        #expect {
            try QuestionForm(plan: plan, application: "erp", function: "stock")
        } throws: { "\($0)" == "erp has no function stock; it has price" }
    }

    @Test func deadlinesAreBounded() {
        #expect(Duration(deadline: "1500ms") == .milliseconds(1500) && Duration(deadline: "2.5s") == .milliseconds(2500))
        for text in ["", "s", "0s", "-1s", "61s", "1e300s", "nans", "2", "2m"] { #expect(Duration(deadline: text) == nil, "\(text)") }
    }
}

struct QuestionTurnTests {
    private static let now = Instant(milliseconds: 1_000_000)

    private static func state(calls: Int, perMinute: Int? = nil) -> DeliveryState {
        DeliveryState(limits: Manifest.Limits(batch: 1, concurrentCalls: calls, callsPerMinute: perMinute))
    }

    /// True where the turn came at once; otherwise it waits in the state, and is given here so that nothing hangs.
    private static func takes(_ state: inout DeliveryState) async -> Bool {
        var copy = state
        var isAtOnce = false
        await withCheckedContinuation { turn in
            isAtOnce = copy.takesTurn(turn)
            if isAtOnce { turn.resume() }
            if !isAtOnce {
                copy.questions.waiting.removeAll()
                turn.resume()
            }
        }
        state = copy
        return isAtOnce
    }

    @Test func oneCallIsLeftForDeliveries() async {
        var state = Self.state(calls: 3)
        #expect(state.admitQuestion(now: Self.now) == nil)
        #expect(state.admitQuestion(now: Self.now) == nil)
        #expect(state.admitQuestion(now: Self.now)?.contains("busy with 2 questions") == true)
        let isAtOnce = await Self.takes(&state)
        #expect(isAtOnce)
        state.endQuestion()
        #expect(state.admitQuestion(now: Self.now) == nil)
    }

    @Test func aSingleCallIsShared() async {
        var state = Self.state(calls: 1)
        #expect(state.admitQuestion(now: Self.now) == nil)
        let first = await Self.takes(&state)
        let second = await Self.takes(&state)
        #expect(first && !second, "there is no second one")
        state.endQuestion()
        let turns = state.freeTurns()
        #expect(turns.isEmpty)
    }

    @Test func theMinutesCallsCountForBoth() {
        var state = Self.state(calls: 4, perMinute: 1)
        #expect(state.admitQuestion(now: Self.now) == nil)
        #expect(state.admitQuestion(now: Self.now)?.contains("no more calls in this minute") == true)
        #expect(state.admitQuestion(now: Self.now + .seconds(61)) == nil)
    }

    @Test func anOpenBreakerAnswersAtOnce() {
        var state = Self.state(calls: 4)
        state.breaker.failed(now: Self.now, jitter: 0)
        #expect(state.admitQuestion(now: Self.now) == "has not been reached yet")
        state.trouble = "connection refused"
        #expect(state.admitQuestion(now: Self.now) == "cannot be reached: connection refused")
    }
}
