import HubCodec
import HubModel
import HubRules
import HubStore
import Testing

@Suite("Heard and written")
struct ShadowTests {
    private let mapping: Mapping
    private let now = Instant(milliseconds: 1000)

    init() throws {
        let text = """
            entity: customer
            native: customer
            fields: { a: a, b: { path: b, normalise: [upper] }, told: { path: told, direction: in }, agent: { path: agent, ref: customer, soft: true } }
            lines: { path: lines, key: id, fields: { n: n, agent: { path: agent, ref: customer, soft: true } } }
            """
        mapping = try Mapping.compile(MappingSource(name: "m.yaml", text: text), application: "x")
    }

    private func write(
        _ id: Int64, _ fields: Fields, condition: VersionToken? = nil, token: VersionToken? = nil, answered: Bool = false,
        create: Bool = false,
        delete: Bool = false
    ) -> TargetState.Write {
        var write = TargetState.Write(id: id, fields: fields, isCreate: create, isDelete: delete, condition: condition, sent: now)
        write.token = token
        write.isAnswered = answered || token != nil
        return write
    }

    private func state(_ written: [TargetState.Write], heard: Fields? = ["a": 0], token: VersionToken? = nil) -> TargetState {
        var state = TargetState()
        state.key = "k"
        state.heard = heard.map { TargetState.Heard(fields: $0, position: SourcePosition(minor: 1), token: token) }
        state.written = written
        return state
    }

    @Test("without tokens an equal value is an echo and retires that field, there and in older writes")
    func echoes() {
        var shadow = state([write(1, ["a": 1, "b": 1], answered: true), write(2, ["a": 2, "b": 2], answered: true), write(3, ["a": 3])])
        #expect(shadow.matchEchoes(changed: ["a"], state: ["a": 2, "b": 9], isGone: false, token: nil, under: mapping) == ["a": 2])
        #expect(shadow.written.map(\.fields) == [["b": 1], ["b": 2], ["a": 3]])
        // Another value is a real change and retires nothing.
        #expect(shadow.matchEchoes(changed: ["a"], state: ["a": 7], isGone: false, token: nil, under: mapping).isEmpty)
        #expect(shadow.written.count == 3)
        // What did not change is no echo, whatever has been written.
        #expect(shadow.matchEchoes(changed: [], state: ["a": 3], isGone: false, token: nil, under: mapping).isEmpty)
        #expect(shadow.written.count == 3)
    }

    @Test("values are compared under the application's normalisation")
    func normalised() {
        var shadow = state([write(1, ["b": "abc"], answered: true)])
        #expect(shadow.matchEchoes(changed: ["b"], state: ["b": "ABC"], isGone: false, token: nil, under: mapping) == ["b": 1])
        #expect(shadow.written.isEmpty)
    }

    @Test("with tokens the answered token must be the event's")
    func tokens() {
        var shadow = state([write(1, ["a": 1], condition: "1", token: "2")], token: "1")
        // The same value at a later token is a person's own.
        #expect(shadow.matchEchoes(changed: ["a"], state: ["a": 1], isGone: false, token: "3", under: mapping).isEmpty)
        #expect(shadow.written.isEmpty)
        shadow = state([write(1, ["a": 1], condition: "1", token: "2"), write(2, ["a": 2], condition: "2")], token: "1")
        #expect(shadow.matchEchoes(changed: ["a"], state: ["a": 1], isGone: false, token: "2", under: mapping) == ["a": 1])
        #expect(shadow.written.map(\.id) == [2])
    }

    @Test("an event past the token that a write was conditional on settles it, answered or not")
    func settled() {
        var shadow = state([write(1, ["a": 1], condition: "4"), write(2, ["b": 2], condition: "5")], token: "4")
        #expect(shadow.matchEchoes(changed: ["b"], state: ["b": 9], isGone: false, token: "5", under: mapping).isEmpty)
        #expect(shadow.written.map(\.id) == [2])
    }

    @Test("the first state heard retires the create")
    func create() {
        var shadow = state([write(1, ["a": 1, "b": 2], create: true)], heard: nil)
        #expect(shadow.matchEchoes(changed: ["a", "b"], state: ["a": 1, "b": 3], isGone: false, token: nil, under: mapping) == ["a": 1])
        #expect(shadow.written.isEmpty)
    }

    @Test("a delete is retired by the deletion, and by nothing else")
    func delete() {
        var shadow = state([write(1, [:], answered: true, delete: true)])
        _ = shadow.matchEchoes(changed: ["a"], state: ["a": 5], isGone: false, token: nil, under: mapping)
        #expect(shadow.written.count == 1)
        _ = shadow.matchEchoes(changed: [], state: [:], isGone: true, token: nil, under: mapping)
        #expect(shadow.written.isEmpty)
    }

    @Test("an answer makes a write certain; its echo may have come before")
    func answered() {
        var shadow = state([write(1, ["a": 1], condition: "1")], token: "1")
        shadow.answered(9, token: "2")
        #expect(shadow.written.map(\.isAnswered) == [false])
        shadow.answered(1, token: "2")
        #expect(shadow.written.map(\.isAnswered) == [true] && shadow.written[0].token == "2")
        shadow = state([write(1, ["a": 1], condition: "1")], token: "2")
        shadow.answered(1, token: "2")
        #expect(shadow.written.isEmpty)
        shadow = state([write(1, ["a": 1])])
        shadow.answered(1, token: nil)
        #expect(shadow.written.map(\.isAnswered) == [true])
        shadow.withdraw(1)
        #expect(shadow.written.isEmpty)
    }

    // MARK: Difference

    private func golden(_ fields: Fields) -> GoldenRecord {
        GoldenRecord(id: "customer-1-1", entity: "customer", version: Version(generation: 1, number: 1), fields: fields)
    }

    @Test("what is to be written: golden against heard overlaid with answered writes")
    func difference() {
        let wanted = golden(["a": 1, "b": "x", "told": 5, "unmapped": 7])
        #expect(state([], heard: nil).difference(to: wanted, under: mapping) == ["a": 1, "b": "x"])
        #expect(state([], heard: ["a": 1, "b": "X"]).difference(to: wanted, under: mapping).isEmpty)
        #expect(state([], heard: ["a": 0, "b": "X"]).difference(to: wanted, under: mapping) == ["a": 1])
        // Written and answered: held. Not answered: not certain, so it still differs.
        #expect(state([write(1, ["a": 1], answered: true)]).difference(to: golden(["a": 1]), under: mapping).isEmpty)
        #expect(state([write(1, ["a": 1])]).difference(to: golden(["a": 1]), under: mapping) == ["a": 1])
        #expect(state([write(1, ["a": 1], answered: true), write(2, ["a": 2], answered: true)]).base() == ["a": 2])
        // Absent and empty are the same to write, null over a value is not.
        #expect(state([], heard: [:]).difference(to: golden(["a": .null]), under: mapping).isEmpty)
        #expect(state([], heard: ["a": 3]).difference(to: golden(["a": .null]), under: mapping) == ["a": .null])
    }

    @Test("a disputed value is left alone until it changes")
    func disputed() {
        var shadow = state([], heard: ["a": 0])
        shadow.corrections["a"] = TargetState.Corrections(count: 4, windowStart: now, disputed: 1)
        #expect(shadow.difference(to: golden(["a": 1]), under: mapping).isEmpty)
        #expect(shadow.difference(to: golden(["a": 2]), under: mapping) == ["a": 2])
    }

    @Test("soft references that are left out are no difference, alone or in a list")
    func leftOut() {
        var shadow = state([], heard: ["a": 1, "agent": .null, "lines": [["id": "1", "n": 5]]])
        shadow.leftOut = ["agent": "customer-1-9", "lines[1].agent": "customer-1-8"]
        let fields: Fields = ["a": 1, "agent": "customer-1-9", "lines": [["id": "1", "n": 5, "agent": "customer-1-8"]]]
        #expect(shadow.difference(to: golden(fields), under: mapping).isEmpty)
        #expect(shadow.effect(of: fields, creates: true, under: mapping) == ["a": 1, "agent": .null, "lines": [["id": "1", "n": 5]]])
        #expect(shadow.effect(of: fields, creates: false, under: mapping) == ["a": 1, "lines": [["id": "1", "n": 5]]])
        // Another reference, or another member of the same element, is one.
        var changed = fields
        changed["agent"] = "customer-1-7"
        changed["lines"] = [["id": "1", "n": 6, "agent": "customer-1-8"]]
        #expect(shadow.difference(to: golden(changed), under: mapping).names == ["agent", "lines"])
        // Linked: both are.
        shadow.leftOut = [:]
        #expect(shadow.difference(to: golden(fields), under: mapping).names == ["agent", "lines"])
    }

    @Test("ids of writes rise, also within one millisecond and when the clock goes back")
    func ids() {
        var shadow = state([])
        #expect(shadow.nextWriteID(now) == 1000)
        shadow.written = [write(1000, ["a": 1])]
        #expect(shadow.nextWriteID(now) == 1001)
        #expect(shadow.nextWriteID(Instant(milliseconds: 5)) == 1001)
    }
}
