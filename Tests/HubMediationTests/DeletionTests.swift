import HubCodec
import HubDriver
import HubMediation
import HubModel
import HubRules
import HubStore
import Testing

@Suite("What a deletion means that does not say which entity or company")
struct DeletionTests {
    /// A desk whose crm has leads that become opportunities under the same key, and whose erp keeps orders per company.
    private func desk() throws -> Desk {
        let desk = try Desk(EntityPolicy("lead"), EntityPolicy("opportunity"))
        try put(
            "crm",
            [
                ("lead", "lead", false, "entity: lead\nnative: lead\nwhen: { type: lead }\nfields: { name: name }"),
                ("lead", "opportunity", false, "entity: opportunity\nnative: lead\nwhen: { type: opportunity }\nfields: { name: name }"),
            ], desk)
        try put(
            "erp",
            [("order", "order", true, "entity: order\nnative: order\ncompany: company\nfields: { qty: qty }")],
            companies: ["fr": "1", "us": "2"],
            desk)
        return desk
    }

    private func put(
        _ id: ApplicationID, _ types: [(native: String, entity: EntityName, isPerCompany: Bool, mapping: String)],
        companies: [CompanyID: String] = [:], _ desk: Desk
    ) throws {
        let entities = types.map {
            EntityManifest(
                native: $0.native, entity: $0.entity, createIsRepeatable: true, hasToken: false, tellsReference: true,
                isPerCompany: $0.isPerCompany)
        }
        desk.plan.applications[id] = ApplicationPlan(
            id: id,
            manifest: Manifest(
                driver: "fake", version: "1", summary: "", entities: entities, settleTime: .seconds(1), answerTime: .seconds(1), window: ""),
            mappings: try types.map { try Mapping.compile(MappingSource(name: "\(id).yaml", text: $0.mapping), application: id) },
            companies: companies)
    }

    private func golden(_ desk: Desk, _ entity: EntityName) throws -> [GoldenRecord] {
        try desk.store.withTransaction { try $0.goldenRecords(entity, after: nil, limit: 10) }
    }

    @Test("a native document that has become two goes with both, and its record ends once")
    func both() throws {
        let desk = try desk()
        try desk.work(desk.event("crm", "7", ["type": "lead", "name": "Fair"], entity: "lead"))
        try desk.work(desk.event("crm", "7", ["type": "opportunity", "name": "Fair, hall 3"], entity: "lead"))
        #expect(try desk.id("crm", "7", "lead") != desk.id("crm", "7", "opportunity"))
        #expect(try desk.work(desk.event("crm", "7", nil, entity: "lead", verb: "deleted")) == [.accepted])
        #expect(try golden(desk, "lead").map(\.isDeleted) == [true])
        #expect(try golden(desk, "opportunity").map(\.isDeleted) == [true])
        // Told again it is old, once.
        #expect(try desk.work(desk.event("crm", "7", nil, entity: "lead", verb: "deleted", position: 3)) == [.stale])
    }

    @Test("one that never was a lead is deleted as what it is")
    func second() throws {
        let desk = try desk()
        try desk.work(desk.event("crm", "8", ["type": "opportunity", "name": "Mill"], entity: "lead"))
        #expect(try desk.work(desk.event("crm", "8", nil, entity: "lead", verb: "deleted")) == [.accepted])
        #expect(try golden(desk, "opportunity").map(\.isDeleted) == [true])
        #expect(try golden(desk, "lead").isEmpty)
    }

    @Test("a deletion that names no company is that of the company where the document is linked")
    func company() throws {
        let desk = try desk()
        try desk.work(desk.event("erp", "41", ["company": "2", "qty": "3"], entity: "order"))
        #expect(try golden(desk, "order").map(\.company) == ["us"])
        #expect(try desk.work(desk.event("erp", "41", nil, entity: "order", verb: "deleted")) == [.accepted])
        #expect(try golden(desk, "order").map(\.isDeleted) == [true])
        // Nobody knows this one.
        #expect(try desk.work(desk.event("erp", "42", nil, entity: "order", verb: "deleted")) == [.filtered])
        #expect(try golden(desk, "order").count == 1)
        #expect(try desk.waiting().isEmpty)
    }

    @Test("without companies in the configuration it is a dead letter as before")
    func none() throws {
        let desk = try desk()
        desk.plan.applications["erp"]?.companies = [:]
        #expect(try desk.work(desk.event("erp", "41", nil, entity: "order", verb: "deleted")) == [.dead])
    }

    @Test("behind an event that waits it waits for its turn, and ends once")
    func turn() throws {
        let desk = try desk()
        // A create without an answer: an unknown document may be its echo.
        try desk.work(desk.event("web", "w1", ["qty": "1"], entity: "order"))
        let id = try desk.id("web", "w1", "order")
        let intent = Target("erp", "fr", id)
        func sent(_ time: Instant?) throws {
            try desk.store.withTransaction { (store) throws in
                var state = try store.target(intent)
                state.written = time.map { [TargetState.Write(id: 1, fields: ["qty": "1"], isCreate: true, sent: $0)] } ?? []
                try store.put(state, intent, "order")
            }
        }
        desk.plan.applications["erp"]?.bindings["order"]?.manifest.tellsReference = false
        try sent(desk.now)
        #expect(try desk.work(desk.event("erp", "41", ["company": "2", "qty": "3"], entity: "order")) == [])
        #expect(try desk.work(desk.event("erp", "41", nil, entity: "order", verb: "deleted")) == [])
        #expect(try desk.waiting().count == 2)
        try sent(nil)
        try desk.release()
        #expect(try desk.waiting().isEmpty)
        #expect(try golden(desk, "order").filter { $0.company == "us" }.map(\.isDeleted) == [true])
        #expect(try desk.ends().values.reduce(0, +) == 3)
    }
}
