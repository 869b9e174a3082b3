import HubModel
import HubRules
import Testing

@Suite("Conditions")
struct ConditionTests {
    static let document: Fields = [
        "stage": "customer", "total": .number(Number(10000, scale: 1)), "onHold": false, "vip": true, "note": "", "empty": .null,
        "lines": [1],
        "none": [], "zero": 0, "address.city": "Lyon", "quote": "it's",
    ]

    @Test(
        "hold or not",
        arguments: [
            ("stage == 'customer'", true), ("customer.stage == \"customer\"", true), ("stage != 'lead'", true),
            ("stage == 'Customer'", false),
            ("total >= 1000", true), ("total > 1000", false), ("total <= 1000.0", true), ("total < 1000.01", true), ("total == 1000", true),
            ("total > -5", true), ("stage < 'd' and stage > 'b'", true), ("stage >= 'customer' and stage <= 'customer'", true),
            ("vip", true), ("onHold", false), ("note", false), ("stage", true), ("zero", false), ("total", true), ("lines", true),
            ("none", false),
            ("missing", false), ("empty", false), ("missing == null", true), ("empty == null", true), ("stage == null", false),
            ("missing != 'x'", true), ("missing < 5", false), ("missing >= 5", false), ("stage > 5", false), ("vip == true", true),
            ("not onHold", true), ("!onHold && vip", true), ("not not vip", true), ("onHold or vip", true), ("onHold || missing", false),
            // `and` binds closer than `or`, `not` closer than both.
            ("vip or onHold and onHold", true), ("(vip or onHold) and onHold", false), ("not onHold and vip", true),
            ("not (onHold or vip)", false),
            ("stage in ['lead', 'customer']", true), ("total in [1000, 'x', null]", true), ("stage in ['lead']", false),
            ("missing in [null]", true), ("address.city == 'Lyon'", true), ("customer.address.city == 'Lyon'", true),
            ("quote == \"it's\"", true),
        ])
    func holds(_ text: String, _ expected: Bool) throws {
        #expect(try ConditionParser.parse(text, entity: "customer").holds(for: Self.document) == expected)
    }

    @Test(
        "mistakes name their place",
        arguments: [
            ("", 1, "a field"), ("stage ==", 9, "a text"), ("stage = 'x'", 7, "=="), ("stage == customer", 10, "a text"),
            ("stage == 'x", 10, "closing"), ("'x' == stage", 1, "a field"), ("vip vip", 5, "and"), ("(vip", 5, ")"), ("vip)", 4, "and"),
            ("vip and", 8, "a field"), ("stage in 'x'", 10, "["), ("stage in ['x'", 14, "]"), ("stage in []", 11, "a text"),
            ("total > 1.2.3", 9, "no number"), ("total > -", 9, "no number"), ("total # 1", 7, "no meaning"), ("not", 4, "a field"),
            ("a & b", 3, "no meaning"), ("total >= 007", 10, "no number"),
        ])
    func mistakes(_ text: String, _ column: Int, _ words: String) {
        do throws(ConditionParser.Failure) {
            let condition = try ConditionParser.parse(text, entity: "customer")
            Issue.record("\(text) was read as \(condition)")
        } catch {
            #expect(error.column == column, "\(text): \(error)")
            #expect(error.reason.contains(words), "\(text): \(error)")
            #expect("\(error)".hasSuffix("at character \(column)"))
        }
    }

    @Test("depth is bounded, length is not")
    func depth() throws {
        let deep = String(repeating: "(", count: 10_000) + "vip" + String(repeating: ")", count: 10_000)
        #expect(throws: ConditionParser.Failure.self) { try ConditionParser.parse(deep, entity: "customer") }
        #expect(throws: ConditionParser.Failure.self) {
            try ConditionParser.parse(String(repeating: "not ", count: 10_000) + "vip", entity: "customer")
        }
        let nested = String(repeating: "(", count: 40) + "vip" + String(repeating: ")", count: 40)
        #expect(try ConditionParser.parse(nested, entity: "customer").holds(for: Self.document))
    }

    @Test("the fields that it looks at")
    func fields() throws {
        #expect(try ConditionParser.parse("customer.a == 1 or not (b in [1] and c)", entity: "customer").fields == ["a", "b", "c"])
        #expect(Condition.always.fields.isEmpty)
        #expect(Condition.always.holds(for: [:]))
    }
}
