import HubConfiguration
import HubModel
import HubRules
import HubStore
import Synchronization
import Testing

@testable import HubRuntime

/// A changed configuration in a running hub.
@Suite(.serialized) struct ReloadTests {
    @Test func anAddedApplicationIsCaughtUpAndTheOthersAreNotRestarted() throws {
        let fixture = try HubFixture()
        let third = MemoryApplication()
        try fixture.start { $0.drivers["third"] = third }
        let hub = try #require(fixture.hub)
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        let engines = (hub.engine("left"), hub.engine("right"))

        _ = try fixture.configuration(third: true)
        #expect(hub.reload() == .init(isDone: true, text: "the configuration is reloaded; added: third"))
        #expect(hub.engine("left") === engines.0 && hub.engine("right") === engines.1, "their consumers go on")
        fixture.eventually("Acme at third") { third.names == ["Acme"] }
        try fixture.publish("third", key: "c", position: 1, name: "Corp")
        fixture.eventually("Corp at right") { fixture.right.names == ["Acme", "Corp"] }

        _ = try fixture.configuration()
        #expect(hub.reload() == .init(isDone: true, text: "the configuration is reloaded; removed: third"))
        #expect(hub.engine("third") == nil && hub.engine("right") === engines.1)
        try fixture.publish("left", key: "b", position: 2, name: "Beta")
        fixture.eventually("Beta at right") { fixture.right.names == ["Acme", "Beta", "Corp"] }
        #expect(!third.names.contains("Beta") && hub.failed == nil)
    }

    @Test func aChangedMappingRestartsNothing() throws {
        let fixture = try HubFixture()
        try fixture.start()
        let hub = try #require(fixture.hub)
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        let (mediation, engine) = (hub.mediation, hub.engine("left"))
        try fixture.map("left", "  name: remark\n")
        #expect(hub.reload() == .init(isDone: true, text: "the configuration is reloaded; new mappings: left"))
        #expect(hub.mediation === mediation && hub.engine("left") === engine)
        try fixture.publish([HubFixture.record("left", key: "b", position: 2, name: "no name", more: ",\"remark\":\"Beta\"")])
        fixture.eventually("Beta at right") { fixture.right.names == ["Acme", "Beta"] }
        #expect(hub.reload() == .init(isDone: true, text: "the configuration is reloaded; no application has changed"))
    }

    @Test func mistakesLeaveTheOldOneRunning() async throws {
        let fixture = try HubFixture()
        try fixture.start()
        let hub = try #require(fixture.hub)
        let engine = hub.engine("right")
        try fixture.map("left", "  name: remark\n  nmae: { path: x, sacle: 2 }\n")
        let request = OperatorRequest(.reload)
        try hub.configuration.requests.submit(request)
        let reply = try #require(await hub.configuration.requests.reply(of: request.id, within: .seconds(20)))
        #expect(!reply.isDone && reply.text.contains("mappings/left/thing.yaml:4:"), "\(reply.text)")
        try fixture.publish("left", key: "a", position: 1, name: "Acme")
        fixture.eventually("Acme at right") { fixture.right.names == ["Acme"] }
        #expect(hub.engine("right") === engine && hub.failed == nil)
    }

    @Test func whatNeedsARestartIsRefused() throws {
        let fixture = try HubFixture()
        try fixture.start()
        let hub = try #require(fixture.hub)
        _ = try fixture.configuration()
        try fixture.write(
            "hub.yaml",
            """
            hub: u
            bus: { embedded: true, partitions: 2 }
            store: other.db
            applications: { left: { driver: memory }, right: { driver: memory } }
            entities: { thing: {} }
            """)
        let reply = hub.reload()
        #expect(reply == .init(isDone: false, text: "hub, store cannot change while the hub runs: stop it and start it again"))
        #expect(hub.configuration.hub == "t")
    }

    @Test func aHangUpReloads() throws {
        let fixture = try HubFixture()
        try fixture.start()
        let hub = try #require(fixture.hub)
        try fixture.map("left", "  name: remark\n")
        hub.reloadSoon()
        fixture.eventually("the new mapping") { hub.plan.binding("left", "thing")?.mapping.fieldNames == ["name"] }
    }
}
