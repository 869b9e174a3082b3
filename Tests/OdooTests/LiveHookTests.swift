import Foundation
import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubOperations
import HubRuntime
import HubStore
import Testing

@testable import Odoo

/// Odoo's own web hooks at a hub that would look by itself once in ten minutes.
@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct LiveHookTests {
    private static let token = "bell-0123456789abcdef0"

    /// A hub that captures from Odoo and delivers nothing, and its listener.
    fileprivate final class Office {
        let folder = NSTemporaryDirectory() + "hook-\(UUID().uuidString)"
        let store: any Store = MemoryStore()
        let hub: RunningHub
        let listener: HTTPListener

        init() throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let text = """
                hub: hooked
                bus: { embedded: true }
                store: hub.db
                applications:
                  odoo: { driver: odoo, url: { env: URL }, key: { env: KEY }, pollMilliseconds: 600000 }
                entities:
                  customer: { owner: odoo }
                http:
                  listen: "127.0.0.1:0"
                  tokens: { odoo: { secret: { env: BELL }, hook: odoo } }
                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/hub.yaml"))
            let key = try String(contentsOfFile: #require(LiveOdoo.keyFile), encoding: .utf8)
            let configuration = try Configuration.load(
                folder + "/hub.yaml", catalog: [OdooFactory.self],
                environment: ["URL": try #require(LiveOdoo.url), "KEY": key, "BELL": LiveHookTests.token])
            let bus = try EmbeddedBus()
            var options = RunningHub.Options()
            options.embedded = bus
            options.delivers = false
            hub = RunningHub(configuration: configuration, store: store, bus: bus.configuration, options: options)
            listener = try HTTPListener(hub: hub, settings: #require(configuration.http))
            try hub.start()
            try listener.start()
        }

        deinit {
            listener.stop()
            hub.stop()
            try? FileManager.default.removeItem(atPath: folder)
        }

        var address: String { "http://127.0.0.1:\(listener.port ?? 0)" }

        /// The customer's name as the hub knows it; nil where it does not know the customer.
        func name(_ partner: NativeKey) async throws -> String? {
            try await store.perform { store in
                guard let id = try store.link(NativeReference("odoo", .shared, "customer", partner)) else { return nil }
                return try store.golden(id)?.fields["name"]?.text
            }
        }

        func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
            let end = ContinuousClock.now + .seconds(60)
            while ContinuousClock.now < end {
                if try await holds() { return }
                try await Task.sleep(for: .milliseconds(100))
            }
            Issue.record("did not come about within a minute: \(what)")
        }
    }

    @Test func anAutomationRuleOfOdooMakesTheHubLook() async throws {
        let odoo = try LiveOdoo()
        let office = try Office()
        let unrung = try await odoo.partnerThatNobodyHeardOf(office)
        let rule = try await odoo.rule("\(office.address)/v1/hooks/odoo?token=\(Self.token)")
        try await odoo.write("res.partner", unrung, ["name": .string(odoo.rungName)])
        try await office.eventually("the new name, heard by the hook") { try await office.name(unrung) == odoo.rungName }
        try await odoo.act("base.automation", "unlink", rule)
        await odoo.driver.close()
    }

    /// What Odoo sends after the hub has gone changes nothing for the person who saves: the hook is lost, the change is not.
    @Test func aHookThatNobodyHearsIsNoLoss() async throws {
        let odoo = try LiveOdoo()
        let rule: NativeKey
        let partner: NativeKey
        do {
            let office = try Office()
            rule = try await odoo.rule("\(office.address)/v1/hooks/odoo?token=\(Self.token)")
            partner = NativeKey(String(try await odoo.create("res.partner", ["name": "Before", "is_company": true])))
        }
        try await odoo.write("res.partner", partner, ["name": .string(odoo.rungName)])
        let office = try Office()
        try await office.eventually("the name that was saved meanwhile") { try await office.name(partner) == odoo.rungName }
        try await odoo.act("base.automation", "unlink", rule)
        await odoo.driver.close()
    }
}

extension LiveOdoo {
    /// Partners with this name ring.
    fileprivate var rungName: String { "Rung \(run)" }

    /// A rule that posts to the address when such a partner is saved.
    fileprivate func rule(_ address: String) async throws -> NativeKey {
        let models = try await driver.client.search("ir.model", [["model", "=", "res.partner"]], ["model"], order: "id")
        let model = try #require(models.first?["id"])
        let action: Value = [
            "name": "Ring at the hub", "model_id": model, "state": "webhook", "webhook_url": .string(address),
        ]
        let rule = try await create(
            "base.automation",
            [
                "name": .string("Ring for \(run)"), "model_id": model, "trigger": "on_create_or_write",
                "filter_domain": .string("[('name', '=', '\(rungName)')]"), "action_server_ids": [[0, 0, action]],
            ])
        return NativeKey(String(rule))
    }

    /// A partner that has been there for a while and that the hub, which has come to rest, has not heard of.
    fileprivate func partnerThatNobodyHeardOf(_ office: LiveHookTests.Office) async throws -> NativeKey {
        for number in 1...20 {
            let partner = NativeKey(
                String(try await create("res.partner", ["name": .string("Quiet \(run) \(number)"), "is_company": true])))
            try await Task.sleep(for: .seconds(3))
            if try await office.name(partner) == nil { return partner }
        }
        throw Unexpected("a hub that hears of everything within 3 s, though it looks once in ten minutes")
    }
}
