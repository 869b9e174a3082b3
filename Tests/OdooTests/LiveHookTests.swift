import Foundation
import HubConfiguration
import HubDriver
import HubModel
import HubOperations
import HubStore
import Testing

@testable import Odoo
@testable import TestHub

/// Odoo's own web hooks at a hub that would look by itself once in ten minutes.
@Suite(.serialized, .enabled(if: LiveOdoo.isThere, LiveOdoo.absence)) struct LiveHookTests {
    private static let token = "bell-0123456789abcdef0"

    /// A hub that captures from Odoo and delivers nothing, and its listener.
    fileprivate final class Office {
        let test: TestHub
        let listener: HTTPListener

        init() throws {
            let key = try String(contentsOfFile: #require(LiveOdoo.keyFile), encoding: .utf8)
            test = try TestHub(
                [OdooFactory.self], environment: ["URL": try #require(LiveOdoo.url), "KEY": key, "BELL": LiveHookTests.token])
            try test.write(
                "hub.yaml",
                """
                hub: hooked
                bus: { embedded: true, partitions: 2 }
                store: hub.db
                applications:
                  odoo: { driver: odoo, url: { env: URL }, key: { env: KEY }, pollMilliseconds: 600000 }
                entities:
                  customer: { owner: odoo }
                http:
                  listen: "127.0.0.1:0"
                  tokens: { odoo: { secret: { env: BELL }, hook: odoo } }
                """)
            try test.start(delivers: false)
            listener = try HTTPListener(hub: #require(test.hub), settings: #require(test.load().http))
            try listener.start()
        }

        deinit {
            listener.stop()
            test.stop()
        }

        var address: String { "http://127.0.0.1:\(listener.port ?? 0)" }

        /// The customer's name as the hub knows it; nil where it does not know the customer.
        func name(_ partner: NativeKey) async throws -> String? {
            try await test.store.perform { store in
                guard let id = try store.link(NativeReference("odoo", .shared, "customer", partner)) else { return nil }
                return try store.golden(id)?.fields["name"]?.text
            }
        }
    }

    @Test func anAutomationRuleOfOdooMakesTheHubLook() async throws {
        let odoo = try LiveOdoo()
        let office = try Office()
        let unrung = try await odoo.partnerThatNobodyHeardOf(office)
        let rule = try await odoo.rule("\(office.address)/v1/hooks/odoo?token=\(Self.token)")
        try await odoo.write("res.partner", unrung, ["name": .string(odoo.rungName)])
        try await office.test.eventually("the new name, heard by the hook", within: .seconds(60)) {
            try await office.name(unrung) == odoo.rungName
        }
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
        try await office.test.eventually("the name that was saved meanwhile", within: .seconds(60)) {
            try await office.name(partner) == odoo.rungName
        }
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
