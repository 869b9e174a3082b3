import HubCodec
import HubDriver
import HubModel
import HubRules
import HubStore
import Testing

@testable import HubConfiguration

/// An application as found, against its mappings.
struct DiscoveryComparisonTests {
    private static let customer = """
        fields:
          name: name
          code:
            path: code
            direction: in
          creditLimit: { path: credit_limit, as: decimal, scale: 2 }
          stage: { path: stage, values: { new: N, customer: C } }
        lists:
          addresses:
            path: addresses
            key: id
            fields:
              city: city
        """

    private static func field(_ path: String, _ kind: DiscoveredField.Kind, _ native: String = "") -> DiscoveredField {
        DiscoveredField(path: path, kind: kind, nativeKind: native.isEmpty ? kind.rawValue : native)
    }

    /// The application just as the mapping expects it.
    private static var partner: DiscoveredType {
        var stage = field("stage", .code)
        stage.codes = ["N", "C"]
        var name = field("name", .text)
        name.isRequired = true
        return DiscoveredType(
            native: "partner",
            fields: [
                name, field("code", .text), field("credit_limit", .number, "numeric(12,2)"), stage, field("addresses", .list),
                field("addresses.id", .text), field("addresses.city", .text),
            ], rights: Set(DiscoveredType.Right.allCases))
    }

    private let folder: Folder
    private let configuration: Configuration

    init() throws {
        folder = try Folder(["hub.yaml": Self.hub, "mappings/erp/customer.yaml": "native: partner\n" + Self.customer, "erp.key": "x"])
        configuration = try folder.load()
    }

    private static let hub = """
        hub: acme
        bus: { embedded: true }
        store: hub.db
        applications:
          crm: { driver: fake-crm, url: "https://crm.example", key: { env: CRM_KEY } }
          erp: { driver: fake-erp, password: { file: erp.key } }
        entities:
          customer: { owner: crm }
        """

    private func compare(
        _ alter: (inout DiscoveredType) -> Void = { _ in }, last: DiscoveryRecord? = nil, known: String? = nil, types: Bool = true
    ) throws -> DiscoveryComparison {
        var type = Self.partner
        alter(&type)
        let plan = configuration.plan()
        let discovery = Discovery(identity: ApplicationIdentity(instance: "one", version: "1"), types: types ? [type] : [])
        return DiscoveryComparison(
            of: discovery, try #require(plan.applications["erp"]), plan: plan, last: last, known: known, now: Instant(milliseconds: 7))
    }

    private func place(_ line: Int) -> String { "\(folder.path)/mappings/erp/customer.yaml:\(line)" }

    @Test func anApplicationAsExpectedHasNoFindingsAndOffersNothing() throws {
        let comparison = try compare()
        #expect(comparison.findings.isEmpty && comparison.stops.isEmpty, "\(comparison.findings)")
        #expect(comparison.offers.isEmpty, "\(comparison.offers)")
    }

    @Test func aVanishedFieldHoldsDeliveriesWithFileAndLine() throws {
        let comparison = try compare { $0.fields[2].path = "credit_limits" }
        let finding = try #require(comparison.findings.first)
        #expect(comparison.findings.count == 1)
        #expect(finding.code == .fieldMissing && finding.effect == .deliveries && finding.entity == "customer")
        #expect(
            finding.description
                == "\(place(7)): partner has no field credit_limit, to which creditLimit is mapped; did you mean \"credit_limits\"?")
        #expect(comparison.stops == ["customer": EntityStop(reason: finding.description, holdsDeliveries: true)])
    }

    @Test func aVanishedFieldThatIsOnlyToldHoldsNothing() throws {
        let comparison = try compare { $0.fields.remove(at: 1) }
        #expect(comparison.findings.map(\.code) == [.fieldMissing])
        #expect(comparison.stops.isEmpty)
    }

    @Test func aVanishedFieldOfAListIsNamedByItsElement() throws {
        let comparison = try compare { $0.fields.removeLast() }
        #expect(comparison.findings.map(\.field) == ["addresses.city"])
        #expect(comparison.findings.first?.place?.line == 14)
    }

    @Test func whatStandsInSomethingThatDoesNotTellItsMembersIsNotMissed() throws {
        let comparison = try compare { $0.fields.removeLast(2) }
        #expect(comparison.findings.isEmpty, "\(comparison.findings)")
    }

    @Test func aVanishedTypeHoldsDeliveries() throws {
        let comparison = try compare(types: false)
        #expect(comparison.findings.map(\.code) == [.typeMissing])
        #expect(comparison.stops["customer"]?.holdsDeliveries == true)
        #expect(comparison.findings.first?.text.contains("or its user may not see it") == true)
    }

    // MARK: Kinds

    @Test func anotherKindThanBeforeHoldsDeliveriesAndTheField() throws {
        let first = try compare()
        let second = try compare({ $0.fields[0].kind = .number }, last: first.record)
        let finding = try #require(second.findings.first)
        #expect(second.findings.count == 1)
        #expect(finding.code == .fieldChanged && finding.effect == .deliveriesAndField)
        #expect(finding.description.hasPrefix("\(place(3)): name of partner, to which name is mapped, was text and is a number now"))
        let stop = try #require(second.stops["customer"])
        #expect(stop.holdsDeliveries && stop.fields == [.init(native: "partner", path: ["name"], reason: finding.description)])
        // It is not got used to: only a changed mapping, or the application as before, mends it.
        let third = try compare({ $0.fields[0].kind = .number }, last: second.record)
        #expect(third.findings.map(\.code) == [.fieldChanged])
        let mended = try compare(last: third.record)
        #expect(mended.findings.isEmpty)
    }

    @Test func aChangedMappingTakesTheNewKindAsItIs() throws {
        var before = try compare().record
        before.accepted["customer"]?.mapping = "another"
        let comparison = try compare({ $0.fields[0].kind = .code }, last: before)
        #expect(comparison.findings.isEmpty)
        let back = try compare(last: comparison.record)
        #expect(back.findings.map(\.code) == [.fieldChanged])
    }

    @Test func aFieldThatIsOnlyToldAndHasChangedHoldsItselfOnly() throws {
        let comparison = try compare({ $0.fields[1].kind = .boolean }, last: try compare().record)
        #expect(comparison.findings.map(\.effect) == [.field])
        #expect(comparison.stops["customer"]?.holdsDeliveries == false)
    }

    @Test func aKindThatTheMappingCannotReadIsSaidAndStopsNothing() throws {
        let comparison = try compare { $0.fields[2].kind = .boolean }
        #expect(comparison.findings.map(\.code) == [.fieldMisfit])
        #expect(comparison.findings.first?.text.hasSuffix("the mapping takes it for a number, and it is a truth value") == true)
        #expect(comparison.stops.isEmpty)
    }

    // MARK: Codes, rights, creates, functions

    @Test func codesThatAreGoneAndCodesThatAreNew() throws {
        let comparison = try compare { $0.fields[3].codes = ["N", "X"] }
        #expect(comparison.findings.map(\.code) == [.codeMissing, .codeUnmapped])
        #expect(comparison.findings.first?.text.hasPrefix("stage has no code C any more, which stage maps") == true)
        #expect(comparison.findings.last?.text.hasSuffix("add X: X") == true)
    }

    @Test func rightsThatTheConfigurationNeeds() throws {
        let comparison = try compare { $0.rights = [.read, .update] }
        #expect(comparison.findings.map(\.code) == [.rightMissing])
        #expect(
            comparison.findings.first?.text == "the user of erp may not create, delete partner, which the configuration needs for customer")
        let mute = try compare { $0.rights = nil }
        #expect(mute.findings.isEmpty, "an application that does not tell rights misses none")
    }

    @Test func aRequiredFieldThatIsNotWritten() throws {
        let comparison = try compare { type in
            var terms = Self.field("terms", .code)
            terms.isRequired = true
            type.fields.append(terms)
            var number = Self.field("number", .text)
            (number.isRequired, number.isReadOnly) = (true, true)
            type.fields.append(number)
            type.fields[1].isRequired = true
        }
        #expect(comparison.findings.map(\.code) == [.fieldRequired, .fieldRequired])
        #expect(comparison.findings.compactMap(\.path) == ["code", "terms"], "told only is not written")
    }

    @Test func anotherInstanceIsSaidAndNothingIsLearntOfIt() throws {
        let first = try compare().record
        let comparison = try compare({ $0.fields[0].kind = .number }, last: first, known: "two")
        #expect(comparison.findings.first?.code == .anotherInstance)
        #expect(comparison.record == first)
    }

    @Test func aMissingFunctionIsSaid() throws {
        var plan = configuration.plan()
        plan.applications["erp"]?.manifest.functions = [FunctionManifest(name: "price", summary: "", parameters: [], results: [])]
        let identity = ApplicationIdentity(instance: "one", version: "1")
        for (functions, codes) in [([], [.functionMissing]), (["price"], [])] as [([String], [DiscoveryFinding.Code])] {
            let comparison = DiscoveryComparison(
                of: Discovery(identity: identity, types: [Self.partner], functions: functions), try #require(plan.applications["erp"]),
                plan: plan, last: nil, known: nil, now: Instant(milliseconds: 0))
            #expect(comparison.findings.map(\.code) == codes)
        }
    }

    // MARK: Offers

    @Test func newFieldsAreLinesReadyToPaste() throws {
        let first = try compare().record
        let comparison = try compare(
            { type in
                var code = Self.field("payment-terms", .code)
                code.codes = ["30D", "60D"]
                var total = Self.field("total", .number, "numeric(14,4)")
                total.isReadOnly = true
                type.fields += [
                    code, total, Self.field("parent_id", .reference, "many2one(partner)"), Self.field("active", .boolean),
                    Self.field("born", .date), Self.field("rate", .number, "double precision"), Self.field("tags", .list),
                    Self.field("addresses.post code", .text),
                ]
            }, last: first)
        #expect(comparison.findings.isEmpty)
        let offers = comparison.offers
        #expect(offers.map(\.list) == [nil, "addresses"])
        #expect(offers.allSatisfy { $0.file == "\(folder.path)/mappings/erp/customer.yaml" && !$0.makesFile && $0.head.isEmpty })
        #expect(
            offers.first?.text == """
                  paymentTerms: payment-terms   # codes: 30D, 60D
                  total: { path: total, as: decimal, scale: 4, direction: in }
                  parent: { path: parent_id, ref: customer, soft: true }
                  active: { path: active, as: boolean }
                  born: { path: born, as: date }
                  rate: { path: rate, as: decimal, scale: 2, round: true, float: true }
                  # tags: tags   # a list: map it under lists:
                """)
        #expect(offers.last?.text == "      postCode: \"post code\"")
        #expect(offers.flatMap(\.lines).allSatisfy { $0.isNew })
    }

    @Test func whatIsOfferedCompiles() throws {
        let comparison = try compare { type in
            type.fields += [Self.field("a b", .text), Self.field("true", .text), Self.field("7up", .number), Self.field("x", .instant)]
        }
        let offer = try #require(comparison.offers.first)
        let source = MappingSource(name: "m.yaml", text: "native: partner\nfields:\n" + offer.text)
        let mapping = try Mapping.compile(source, application: "erp", entity: "customer")
        #expect(mapping.fields.map { $0.path.joined(separator: ".") }.sorted() == ["7up", "a b", "true", "x"])
    }

    @Test func whereTheDriverBringsTheMappingANewFileIsOffered() throws {
        let plan = configuration.plan()
        let crm = try #require(plan.applications["crm"])
        let names = crm.bindings["customer"]?.mapping.fields.map { $0.path.joined(separator: ".") } ?? []
        let type = DiscoveredType(native: "partner", fields: (names + ["fax"]).map { Self.field($0, .text) })
        let comparison = DiscoveryComparison(
            of: Discovery(identity: ApplicationIdentity(instance: "c", version: "1"), types: [type]), crm, plan: plan, last: nil,
            known: nil, now: Instant(milliseconds: 0))
        let offer = try #require(comparison.offers.first)
        #expect(offer.makesFile && offer.file == "mappings/crm/customer.yaml")
        #expect(offer.text == "extends: builtin\nfields:\n  fax: fax")
    }

    // MARK: The store

    @Test func theRecordAndTheStopsAreKept() throws {
        let store = MemoryStore()
        let first = try compare()
        #expect(DiscoveryRecord(first.record.text) == first.record)
        #expect(DiscoveryRecord("{}") == nil && DiscoveryRecord("no JSON") == nil)

        let plan = configuration.plan()
        let erp = try #require(plan.applications["erp"])
        let identity = ApplicationIdentity(instance: "one", version: "1")
        func workIn(_ type: DiscoveredType) throws -> DiscoveryNotes.Result {
            try store.write {
                try DiscoveryNotes.workIn(
                    Discovery(identity: identity, types: [type]), erp, plan: plan, now: Instant(milliseconds: 9), in: $0)
            }
        }
        try store.write { try $0.putCatchUp(CatchUp(entities: []), "erp") }
        _ = try workIn(Self.partner)
        var changed = Self.partner
        changed.fields[0].kind = .number
        let stopped = try workIn(changed)
        #expect(stopped.lifted.isEmpty)
        let (kept, alarms) = try store.write { (try DiscoveryNotes.stops(in: $0), try $0.alarms(after: 0, limit: 10)) }
        #expect(kept == ["erp": stopped.stops])
        #expect(alarms.map(\.code) == ["field-changed"])

        let mended = try workIn(Self.partner)
        #expect(mended.lifted == ["customer"] && mended.stops.isEmpty)
        let (left, progress) = try store.write { (try DiscoveryNotes.stops(in: $0), try $0.catchUp("erp")) }
        #expect(left.isEmpty)
        #expect(progress?.entities == ["customer"], "its documents are gone through once more")
    }

    @Test func aMappingToAFieldThatItsSchemaRulesOutIsAMistake() throws {
        let mapping = try #require(configuration.application("erp")?.mappings.first)
        let city: Value = ["type": "object", "properties": ["city": ["type": "string"]], "additionalProperties": false]
        let properties: Value = [
            "name": [:], "code": [:], "credit_limits": [:], "stage": [:], "addresses": ["type": "array", "items": ["$ref": "#/$defs/a"]],
        ]
        let closed: Value = ["properties": properties, "additionalProperties": false, "$defs": ["a": city]]
        #expect(
            SchemaPaths.mistakes(mapping, native: "partner", schema: closed).map(\.description) == [
                "\(place(7)):3: creditLimit: partner has no field credit_limit by its schema; did you mean \"credit_limits\"?"
            ])
        let open: Value = ["properties": properties, "$defs": ["a": city]]
        #expect(SchemaPaths.mistakes(mapping, native: "partner", schema: open).isEmpty)
        let noCity: Value = ["type": "object", "properties": [:], "additionalProperties": false]
        let emptied: Value = ["properties": properties, "$defs": ["a": noCity]]
        #expect(SchemaPaths.mistakes(mapping, native: "partner", schema: emptied).map(\.key) == ["addresses.city"])
    }
}
