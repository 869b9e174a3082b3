import HubModel
import HubStore
import Synchronization
import Testing

@testable import HubRuntime

/// A mapping changes between two starts: shadows are read again under it, and nothing looks like an edit.
@Suite(.serialized) struct MappingChangeTests {
    /// Acme with a note, made at left, created at right, and heard back from there.
    private func prepared() throws -> HubFixture {
        let fixture = try HubFixture()
        try fixture.start()
        try fixture.publish([HubFixture.record("left", key: "a", position: 1, name: "Acme", note: "N")])
        try fixture.eventually("Acme at right") { try fixture.outcomes()["right written"] == 1 }
        try fixture.publish([
            HubFixture.record("right", key: "n1", position: 1, name: "Acme", note: "N", more: ",\"extra\":\"E\"", token: "1")
        ])
        try fixture.eventually("its echo") { try ends(fixture)[.echo] == 1 }
        fixture.stop()
        return fixture
    }

    private func ends(_ fixture: HubFixture) throws -> [EventEnd: Int] {
        try fixture.store.write { store in
            Dictionary(try store.eventEnds().map { ($0.end, $0.count) }) { $0 + $1 }
        }
    }

    private func golden(_ fixture: HubFixture) throws -> GoldenRecord? {
        try fixture.store.write { try $0.goldenRecords("thing", after: nil, limit: 2) }.first
    }

    private func conflicts(_ fixture: HubFixture) throws -> [Conflict] {
        try fixture.store.write { try $0.conflicts(after: 0, limit: 5) }
    }

    /// Something that has to go through everything behind what came before.
    private func passThrough(_ fixture: HubFixture, _ name: String) throws {
        try fixture.publish([HubFixture.record("left", key: name, position: 90, name: name)])
        fixture.eventually("\(name) at right") { fixture.right.names.contains(name) }
    }

    @Test func aChangeThatChangesNothingDeliversNothing() throws {
        let fixture = try prepared()
        let before = try golden(fixture)
        try fixture.map("right", "  name: { path: name, normalise: [trim] }\n  note: note\n")
        try fixture.start()
        // The same once more, as a feed tells it again.
        try fixture.publish([
            HubFixture.record("right", key: "n1", position: 2, name: "Acme", note: "N", more: ",\"extra\":\"E\"", token: "2")
        ])
        try fixture.eventually("its end") { try ends(fixture)[.unchanged] == 1 }
        try passThrough(fixture, "Zeta")
        #expect(fixture.right.state.withLock { $0.deliveries } == 2, "Acme and Zeta")
        let (after, refused) = (try golden(fixture), try conflicts(fixture))
        #expect(after == before && refused.isEmpty)
    }

    @Test func anAddedFieldFillsAGapAndIsNobodysEdit() throws {
        let fixture = try prepared()
        try fixture.map("right", "  name: name\n  note: note\n  extra: extra\n")
        try fixture.start()
        try passThrough(fixture, "Zeta")
        #expect(fixture.right.state.withLock { $0.deliveries } == 2, "the start alone delivers nothing")
        try fixture.publish([HubFixture.record("right", key: "n1", position: 2, name: "Acme", note: "N", token: "1")])
        try fixture.eventually("what right has held all along") { try golden(fixture)?.fields["extra"] == "E" }
        let record = try #require(try golden(fixture))
        #expect(record.provenance["extra"]?.time == Instant(milliseconds: 0), "and never newer than what anybody tells")
        try passThrough(fixture, "Ypsilon")
        #expect(fixture.right.state.withLock { $0.deliveries } == 3, "right has it already")
    }

    @Test func aRenamedTargetFieldIsWrittenWithTheNextDeliveryAndItsEchoIsKnown() throws {
        let fixture = try prepared()
        try fixture.map("right", "  name: name\n  note: remark\n")
        try fixture.start()
        try passThrough(fixture, "Zeta")
        #expect(fixture.right.state.withLock { $0.deliveries } == 2, "the start alone delivers nothing")
        try fixture.publish([HubFixture.record("left", key: "a", position: 2, name: "Acme SA", note: "N")])
        fixture.eventually("the new name") { fixture.right.names.contains("Acme SA") }
        #expect(fixture.right.state.withLock { $0.last } == ["name": "Acme SA", "remark": "N"])
        try fixture.publish([
            HubFixture.record("right", key: "n1", position: 3, name: "Acme SA", note: "N", more: ",\"remark\":\"N\"", token: "2")
        ])
        try fixture.eventually("its echo") { try ends(fixture)[.echo] == 2 }
        try passThrough(fixture, "Ypsilon")
        #expect(fixture.right.state.withLock { $0.deliveries } == 4, "Acme, Zeta, Acme again, Ypsilon")
    }

    @Test func aFieldReadFromElsewhereIsNoEdit() throws {
        let fixture = try prepared()
        let before = try golden(fixture)
        // Right's own extra is taken for the note from now on: it differs from the golden note, and nobody has changed it.
        try fixture.map("right", "  name: name\n  note: extra\n")
        try fixture.start()
        try fixture.publish([
            HubFixture.record("right", key: "n1", position: 2, name: "Acme", note: "N", more: ",\"extra\":\"E\"", token: "1")
        ])
        fixture.eventually("golden's note in its new place") { fixture.right.state.withLock { $0.last } == ["extra": "N"] }
        let (after, told, refused) = (try golden(fixture), try ends(fixture), try conflicts(fixture))
        #expect(after?.fields == before?.fields && refused.isEmpty)
        #expect(told[.accepted] == 1, "only what made it")
    }
}
