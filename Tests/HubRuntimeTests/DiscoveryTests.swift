import HubConfiguration
import HubDriver
import HubModel
import HubRules
import HubStore
import Synchronization
import Testing

@testable import HubRuntime

/// What a running hub makes of applications that are not as their mappings expect.
@Suite(.serialized) struct DiscoveryTests {
    /// Things without a note.
    private static var withoutNote: [DiscoveredType] {
        MemoryApplication.types.map { type in
            var type = type
            if type.native == "thing" { type.fields.removeAll { $0.path == "note" } }
            return type
        }
    }

    private func waits(_ fixture: HubFixture, _ application: ApplicationID) throws -> [TargetRow] {
        try fixture.store.write { try $0.waiting(application, [.stopped], until: nil, limit: 10) }
    }

    private func ask(_ fixture: HubFixture, _ command: OperatorRequest.Command) async throws -> OperatorRequests.Reply? {
        let requests = try #require(fixture.hub?.configuration.requests)
        let request = OperatorRequest(command)
        try requests.submit(request)
        return await requests.reply(of: request.id, within: .seconds(20))
    }

    @Test func aVanishedFieldHoldsItsEntityThereAndNothingElse() async throws {
        let fixture = try HubFixture()
        fixture.entities = "  part: {}"
        fixture.right.state.withLock { $0.types = Self.withoutNote }
        let third = MemoryApplication()
        try fixture.start(third: third)
        try fixture.publish([
            HubFixture.record("left", key: "a", position: 1, name: "Acme"),
            HubFixture.record("left", key: "p", position: 2, name: "Bolt", native: "part"),
        ])
        fixture.eventually("the part at right") { fixture.right.names == ["Bolt"] }
        fixture.eventually("both at third") { third.names == ["Acme", "Bolt"] }
        try fixture.eventually("the wait") { try waits(fixture, "right").count == 1 }
        let wait = try #require(try waits(fixture, "right").first?.state.wait)
        #expect(wait.detail == "memory (built in): thing.yaml:5: thing has no field note, to which note is mapped", "\(wait.detail)")
        let alarms = try fixture.alarms()
        #expect(alarms.contains { $0.code == "field-missing" && $0.application == "right" && $0.text == wait.detail })
        #expect(fixture.right.names == ["Bolt"])

        // Not mended yet.
        let unmended = try await ask(fixture, .discover("right"))
        #expect(unmended?.text == "held back at right: thing")
        let still = try fixture.alarms()
        #expect(still.filter { $0.code == "field-missing" } == alarms.filter { $0.code == "field-missing" })
        #expect(fixture.right.names == ["Bolt"])
        fixture.right.state.withLock { $0.types = MemoryApplication.types }
        let reply = try await ask(fixture, .discover("right"))
        #expect(reply == .init(isDone: true, text: "nothing of right is held back; goes on: thing"))
        fixture.eventually("the thing at right") { fixture.right.names == ["Acme", "Bolt"] }
        let left = try waits(fixture, "right")
        #expect(left.isEmpty)
        let after = try fixture.alarms()
        #expect(!after.contains { $0.code == "field-missing" }, "what is mended is no alarm any more")
    }

    @Test func whatIsHeldBackOutlivesTheHubUntilItIsMended() throws {
        let fixture = try HubFixture()
        fixture.right.state.withLock { $0.types = Self.withoutNote }
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        try fixture.eventually("the wait") { try waits(fixture, "right").count == 1 }
        fixture.stop()

        fixture.right.state.withLock { $0.isLost = true }
        try fixture.start()
        #expect(fixture.hub?.plan.stops["right"]?["thing"]?.holdsDeliveries == true)
        fixture.right.state.withLock { state in
            state.isLost = false
            state.types = MemoryApplication.types
        }
        fixture.eventually("the thing at right") { fixture.right.names == ["Acme"] }
        #expect(fixture.hub?.plan.stops.isEmpty == true)
    }

    @Test func aMappingWithoutTheFieldMendsItToo() throws {
        let fixture = try HubFixture()
        fixture.right.state.withLock { $0.types = Self.withoutNote }
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        try fixture.eventually("the wait") { try waits(fixture, "right").count == 1 }
        try fixture.map("right", "  name: name\n")
        let reply = try #require(fixture.hub?.reload())
        #expect(reply == .init(isDone: true, text: "the configuration is reloaded; new mappings: right"))
        fixture.eventually("the thing at right") { fixture.right.names == ["Acme"] }
    }

    @Test func anApplicationThatIsDownAtTheStartIsLookedAtWhenItIsThere() throws {
        let fixture = try HubFixture()
        fixture.right.state.withLock { state in
            state.isLost = true
            state.types = Self.withoutNote
        }
        try fixture.start()
        try fixture.publish("right", key: "b", position: 1, name: "Beta")
        fixture.eventually("the other goes on") { fixture.left.names == ["Beta"] }
        #expect(fixture.right.state.withLock { $0.discoveries } == 0)
        fixture.right.state.withLock { $0.isLost = false }
        fixture.eventually("a look") { fixture.right.state.withLock { $0.discoveries } == 1 }
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        try fixture.eventually("the wait") { try waits(fixture, "right").count == 1 }
        #expect(fixture.right.names.isEmpty)
    }

    @Test func eventsThatTellAFieldOfAnotherKindAreSetAside() throws {
        let fixture = try HubFixture()
        try fixture.start()
        fixture.eventually("a first look") { fixture.left.state.withLock { $0.discoveries } == 1 }
        fixture.stop()
        fixture.left.state.withLock { state in
            for type in state.types.indices { state.types[type].fields[1].kind = .number }
        }
        try fixture.start()
        fixture.eventually("what is held back") { fixture.hub?.plan.stops["left"] != nil }
        try fixture.publish([
            HubFixture.record("left", key: "a", position: 1, name: "Acme", note: "7", partition: 0),
            HubFixture.record("left", key: "b", position: 2, name: "Beta", partition: 0),
        ])
        fixture.eventually("what does not tell it") { fixture.right.names == ["Beta"] }
        let letters = try fixture.deadLetters()
        #expect(letters.map(\.code) == ["field-changed"])
        #expect(letters.first?.reason.contains("note of thing, to which note is mapped, was text and is a number now") == true)
    }

    @Test func aDriverThatCannotSayWhatItHoldsLetsOldStopsGo() throws {
        let fixture = try HubFixture()
        fixture.right.state.withLock { $0.types = Self.withoutNote }
        try fixture.start()
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        try fixture.eventually("the wait") { try waits(fixture, "right").count == 1 }
        fixture.stop()
        let right = fixture.right
        try fixture.start { $0.drivers["right"] = MuteApplication(base: right) }
        fixture.eventually("the thing at right") { right.names == ["Acme"] }
        #expect(try fixture.alarms().isEmpty, "nobody could tell when it ends")
    }
}

/// The same application by a driver that cannot discover.
struct MuteApplication: Driver, LookingUp, Reading {
    let base: MemoryApplication

    var manifest: Manifest { base.manifest }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [HubModel.Answer] { try await base.apply(batch) }
    func probe() async throws(DriverError) -> ApplicationIdentity { try await base.probe() }
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] { try await base.lookUp(references) }
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] { try await base.read(references) }
    func close() async {}
}
