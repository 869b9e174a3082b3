import HubCodec
import HubDriver
import HubModel
import HubRules
import HubStore
import Testing

@Suite("Policies and plans")
struct PlanTests {
    @Test("the owner of a field: its own, the state's, the entity's")
    func owners() {
        var policy = EntityPolicy("order", owner: "crm")
        policy.fieldOwners["credit"] = "erp"
        policy.ownerAfter = [(.compare(field: "state", .equal, "confirmed"), "erp"), (.compare(field: "state", .equal, "paid"), "bank")]
        #expect(policy.owner(of: "qty", in: [:]) == "crm")
        #expect(policy.owner(of: "credit", in: [:]) == "erp")
        #expect(policy.owner(of: "qty", in: ["state": "confirmed"]) == "erp")
        #expect(policy.owner(of: "credit", in: ["state": "paid"]) == "erp")
        #expect(policy.mayDelete("crm", in: [:]) && !policy.mayDelete("erp", in: [:]))
        #expect(policy.mayDelete("bank", in: ["state": "paid"]) && !policy.mayDelete("crm", in: ["state": "paid"]))
        policy.deleters = ["erp"]
        #expect(policy.mayDelete("erp", in: [:]) && !policy.mayDelete("crm", in: [:]))
        #expect(policy.mayCreate("web"))
        policy.creators = ["crm"]
        #expect(policy.mayCreate("crm") && !policy.mayCreate("web"))
        #expect(EntityPolicy("x").mayDelete("anyone", in: [:]))
    }

    @Test("what no owner tells belongs to the only one that tells it, or to the latest of several")
    func tellers() throws {
        var policy = EntityPolicy("order", owner: "crm")
        policy.fieldOwners = ["number": "erp"]
        policy.guarded = ["credit"]
        policy.ownerAfter = [(.compare(field: "state", .equal, "paid"), "bank")]
        let manifest = Manifest(driver: "x", version: "1", summary: "", entities: [], settleTime: .zero, answerTime: .zero, window: "")
        func application(_ id: ApplicationID, _ fields: String) throws -> ApplicationPlan {
            let source = MappingSource(name: "\(id).yaml", text: "entity: order\nnative: o\nfields: { \(fields) }")
            return ApplicationPlan(id: id, manifest: manifest, mappings: [try Mapping.compile(source, application: id)])
        }
        let plan = HubPlan(
            hub: "h", entities: [policy, EntityPolicy("invoice")],
            applications: [
                try application("crm", "qty: q, number: n, paid: { path: p, direction: out }"),
                try application("erp", "qty: q, number: n, paid: p, shipped: s, due: d, credit: c, state: z"),
                try application("bank", "due: d"),
                try application("web", "shipped: s"),
            ])
        let order = plan.policy("order")
        let owners: [(String, ApplicationID?)] = [
            ("qty", "crm"), ("number", "erp"), ("paid", "erp"), ("shipped", nil), ("due", nil), ("credit", "crm"), ("unknown", "crm"),
        ]
        for (field, owner) in owners { #expect(order.owner(of: field, in: [:]) == owner, "\(field)") }
        #expect(order.owner(of: "due", in: ["state": "paid"]) == "bank" && order.owner(of: "qty", in: ["state": "paid"]) == "bank")
        #expect(order.leftToTellers == ["erp": ["paid", "state"], nil: ["due", "shipped"]])
        #expect(plan.policy("invoice").leftToTellers.isEmpty && plan.policy("invoice").owner(of: "due", in: [:]) == nil)
    }

    @Test(
        "match text: trimmed, folded, one space",
        arguments: [("  Ann\t  LEE " as Value, "ann lee"), (17, "17"), ("", nil), ("  ", nil), (.null, nil)])
    func matchText(_ value: Value, _ expected: String?) { #expect(value.matchText == expected) }

    @Test("entities come in the order of their hard references")
    func order() throws {
        let sources = [
            "entity: order\nnative: o\nfields: { customer: { path: c, ref: customer }, agent: { path: a, ref: zone, soft: true } }",
            "entity: customer\nnative: c\nfields: { zone: { path: z, ref: zone } }", "entity: zone\nnative: z\nfields: { n: n }",
        ]
        let mappings = try sources.map { try Mapping.compile(MappingSource(name: "m.yaml", text: $0), application: "x") }
        let manifest = Manifest(
            driver: "x", version: "1", summary: "", entities: [], settleTime: .zero, answerTime: .zero, window: "")
        let plan = HubPlan(
            hub: "h", entities: ["customer", "order", "zone"].map { EntityPolicy($0) },
            applications: [ApplicationPlan(id: "x", manifest: manifest, mappings: mappings, companies: ["fr": "1"])])
        #expect(plan.dependencyOrder() == ["zone", "customer", "order"])
        #expect(plan.holders(of: "order") == ["x"] && plan.holders(of: "nothing").isEmpty)
        #expect(plan.applications["x"]?.company(named: "1") == "fr")
        #expect(plan.applications["x"]?.company(named: "2") == nil)
        // What the manifest does not name is assumed to be the least.
        #expect(plan.binding("x", "order")?.manifest.hasToken == false)
        #expect(plan.target("x", "order", "fr", "o-1") == Target("x", .shared, "o-1"))
        let references = mappings[0].references(in: ["customer": "c-1", "agent": "z-1"])
        #expect(references.map(\.id).sorted() == ["c-1", "z-1"] && references.filter(\.isSoft).map(\.field) == ["agent"])
    }

    @Test("outcomes and golden records are CloudEvents in binary mode")
    func records() throws {
        let time = Instant(milliseconds: 0)
        let golden = GoldenRecord(
            id: "order-1-1", entity: "order", company: "fr", version: Version(generation: 1, number: 2), isDeleted: true, fields: ["a.b": 1]
        )
        let record = CanonicalRecord.record(
            golden, topic: "h.order", hub: "h", changed: ["deleted"], addressee: "crm", event: "e1", time: time)
        #expect(record.key == Array("order-1-1".utf8))
        #expect(
            record.header("ce_id") == "order-1-1/1.2" && record.header("ce_type") == "h.order.deleted" && record.header("ce_cause") == "e1")
        let value = try JSONDocument.parse(try #require(record.value)).root.value
        #expect(value["fields"] == ["a": ["b": 1]] && value["company"] == "fr" && value["addressee"] == "crm" && value["version"] == "1.2")
        let outcome = Outcome(
            .rejected, Target("erp", .shared, "order-1-1"), entity: "order", version: Version(generation: 1, number: 3), first: 2, key: "k",
            rejection: Rejection(rule: "r", field: "f", text: "t"), time: time)
        let told = CanonicalRecord.record(outcome, topic: "h.outcomes", hub: "h")
        #expect(told.key == Array("erp/order-1-1".utf8) && told.header("ce_type") == "h.outcome.rejected")
        let members = try JSONDocument.parse(try #require(told.value)).root.value
        #expect(members["firstVersion"] == 2 && members["rejection"] == ["rule": "r", "field": "f", "text": "t"] && members["key"] == "k")
    }
}
