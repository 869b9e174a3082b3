import Foundation
import HubCodec
import HubConfiguration
import HubMediation
import HubModel
import HubRules
import HubScenario
import HubSimulation

/// Damaged bytes for everything that reads what came from outside: nothing crashes, and every record ends as an event, as nothing of
/// the hub's, or as a dead letter with its reason.
struct ChaosFuzz {
    struct Report {
        var seed: UInt64
        var documents = 0
        var records = 0
        var changes = 0
        var filtered = 0
        /// Dead letters by code.
        var dead: [String: Int] = [:]
        var translations = 0
        /// What went wrong, with the round in which it did.
        var finding: String?

        var line: String {
            let codes = dead.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return
                "seed \(seed): \(documents) documents, \(translations) translations, \(records) records: \(changes) events, \(filtered) filtered, "
                + "dead letters: \(codes)"
        }

        var value: Value {
            func number(_ value: Int) -> Value { .number(Number(Int64(value))) }
            return .object([
                "seed": .string("\(seed)"), "documents": number(documents), "translations": number(translations),
                "records": number(records), "changes": number(changes), "filtered": number(filtered),
                "dead": .object(Fields(dead.map { ($0.key, number($0.value)) })), "finding": finding.map { .string($0) } ?? .null,
            ])
        }
    }

    private var mutator: ByteMutator
    private var random: SeededRandom
    private var report: Report
    private var codes: [String] = []

    init(seed: UInt64) {
        mutator = ByteMutator(seed: seed)
        random = SeededRandom(seed: seed &+ 1)
        report = Report(seed: seed)
    }

    /// Native documents to begin with, by application and type.
    private static let documents: [(application: ApplicationID, type: String, json: String)] = [
        (
            "crm", "account",
            #"{"id":"7","name":"Łódź Café","email":"a@example.org","credit_limit":1000.50,"on_hold":false,"payment_terms":"30D","street":"x\ty"}"#
        ),
        (
            "crm", "item",
            #"{"id":"3","code":"ART-1","name":"Bolt ½″","price":12.3400,"currency":"EUR","unit":"PCE","saleable":true,"stock":1e3}"#
        ),
        (
            "crm", "deal",
            #"{"id":"9","account":"7","stage":"accepted","order_date":"2026-02-28","lines":[{"id":"1","item":"3","quantity":2.000,"unit_price":9.99}]}"#
        ),
        ("crm", "bill", #"{"id":"4","deal":"9","number":"INV1","date":"2024-02-29","total":19.98,"paid":0,"lines":[]}"#),
        (
            "erp", "partner",
            #"{"id":"11","code":"P1","name":" Nord ","vat":null,"credit_limit":"50000000.00","on_hold":true,"payment_terms":"60D"}"#
        ),
        (
            "erp", "article",
            #"{"id":"5","code":"ART-1","name":"Pump","price":-0.01,"currency":"EUR","stock":123456789012345678901234567890.5}"#
        ),
        (
            "erp", "sales_order",
            #"{"id":"21","number":"SO1","partner":"11","order_date":"2026-02-28","status":"draft","lines":[{"id":"1","article":"5","quantity":1,"price":2}]}"#
        ),
        (
            "erp", "invoice",
            #"{"id":"31","order":"21","date":"2026-03-01","due_date":"2026-03-31","lines":[],"total":2.00,"paid":0.00,"status":"posted"}"#
        ),
    ]

    mutating func run(for duration: Duration) throws -> Report {
        let folder = FileManager.default.temporaryDirectory.path + "/multipoint-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let scenario = try Scenario(in: folder, layout: Scenario.Layout())
        defer { scenario.close() }
        let configuration: Configuration
        do throws(ConfigurationMistakes) {
            configuration = try Configuration.load(scenario.configurationFile, catalog: DriverCatalog.all, environment: [:])
        } catch {
            throw CommandFailure(.wrong, error.description)
        }
        let plan = configuration.plan()
        let (pipeline, topics) = Self.pipeline(plan, configuration, try HubHost.schemas(configuration))
        let seeds = try Self.records(topics)
        let end = ContinuousClock.now + duration
        while report.finding == nil, .now < end {
            // A look at the clock is dearer than a round.
            for _ in 0..<200 where report.finding == nil {
                let source = random.pick(Self.documents)
                readDocument(Array(source.json.utf8), configuration, source.application, source.type)
                work(random.pick(seeds), pipeline, plan)
            }
        }
        return report
    }

    // MARK: JSON and mappings

    private mutating func readDocument(_ bytes: [UInt8], _ configuration: Configuration, _ application: ApplicationID, _ type: String) {
        report.documents += 1
        guard let document = try? JSONDocument.parse(mutator.mutated(bytes)) else { return }
        let value = document.value
        _ = document.duplicateNames
        guard (try? JSONDocument.parse(value.json).value) == value else {
            return find("a document read is not the same after it was written")
        }
        for mapping in configuration.application(application)?.mappings ?? [] where mapping.natives.contains(type) {
            _ = mapping.accepts(document.root)
            _ = mapping.key(of: document.root)
            let byNode = Result { () throws(TranslationError) in try mapping.translate(document.root) }
            let byValue = Result { () throws(TranslationError) in try mapping.translate(value) }
            guard byNode == byValue else {
                return find("\(mapping.native): two ways to translate differ for \(String(decoding: value.json, as: UTF8.self))")
            }
            guard case .success(let fields) = byNode else { continue }
            report.translations += 1
            for member in fields where !mapping.same(member.name, member.value, member.value) {
                return find("\(mapping.native): \(member.name) is not the same as itself")
            }
            _ = try? mapping.native(from: fields) { NativeKey($1.rawValue) }
            var writer = JSONWriter()
            try? mapping.encode(document.root, into: &writer)
        }
    }

    // MARK: Envelopes and mediation's first half

    /// Every inbound topic as configured, and a second one per type that declares a plain shape.
    private static func pipeline(
        _ plan: HubPlan, _ configuration: Configuration, _ schemas: [ApplicationID: [String: SchemaValidator]]
    ) -> (InboundPipeline, [(application: ApplicationID, type: String, topic: String)]) {
        var topics: [(application: ApplicationID, type: String, topic: String)] = []
        var sources: [String: InboundPipeline.Source] = [:]
        for application in configuration.applications {
            for (type, topic) in application.topics.sorted(by: { $0.key < $1.key }) {
                topics.append((application.id, type, topic))
                sources[topic] = .init(application: application.id, decoder: configuration.envelopeDecoder())
                let shape = PlainShape(
                    type: type, dataPath: ["body"], keyPath: ["body", "id"], operationPath: ["kind"],
                    operations: ["U": .upsert, "D": .delete],
                    timePath: ["at"], positionPath: ["place"], tokenPath: ["token"])
                let declared = EnvelopeDecoder(topics: ["plain.\(topic)": EnvelopeDeclaration(.plain(shape), tombstone: .delete)])
                sources["plain.\(topic)"] = .init(application: application.id, decoder: declared)
            }
        }
        return (InboundPipeline(plan: plan, sources: sources, schemas: schemas), topics)
    }

    /// One whole record of every type in every envelope.
    private static func records(_ topics: [(application: ApplicationID, type: String, topic: String)]) throws -> [Record] {
        var records: [Record] = []
        for (application, type, topic) in topics {
            guard let json = documents.first(where: { $0.application == application && $0.type == type })?.json else { continue }
            let bytes = Array(json.utf8)
            let event = ChangeEvent(
                id: "\(type)-1", type: type, operation: .upsert, key: "7", position: SourcePosition(minor: 12), token: "3",
                time: Instant(milliseconds: 1_772_000_000_000), reference: "customer-1-1")
            for mode in [CloudEventMode.binary, .structured] {
                let encoder = CloudEventEncoder(source: "/\(application)", mode: mode)
                records.append(try encoder.encode(event, json: bytes, topic: topic))
                var deletion = event
                deletion.operation = .delete
                records.append(try encoder.encode(deletion, json: nil, topic: topic))
            }
            let source =
                #""source":{"version":"2.7","connector":"postgresql","name":"x","ts_ms":1772000000000,"db":"d","schema":"public","table":"\#(type)","lsn":77}"#
            let key = Array(#"{"id":"7"}"#.utf8)
            for text in [
                #"{"before":null,"after":\#(json),\#(source),"op":"c","ts_ms":1772000000001}"#,
                #"{"schema":{},"payload":{"before":\#(json),"after":\#(json),\#(source),"op":"u"}}"#,
                #"{"before":\#(json),"after":null,\#(source),"op":"d"}"#,
                #"{"after":\#(json),\#(source),"op":"r"}"#,
            ] {
                records.append(Record(topic: topic, key: key, value: Array(text.utf8)))
            }
            records.append(Record(topic: topic, key: key, value: nil))
            let plain = #"{"kind":"U","at":"2026-02-28T23:59:60.5+01:00","place":"1/2","token":"v","body":\#(json)}"#
            records.append(Record(topic: "plain.\(topic)", key: key, value: Array(plain.utf8)))
        }
        return records
    }

    private mutating func work(_ source: Record, _ pipeline: InboundPipeline, _ plan: HubPlan) {
        var record = mutator.mutated(source)
        record.offset = Int64(report.records)
        record.timestamp = random.below(10) == 0 ? nil : Int64(truncatingIfNeeded: random.next() >> UInt64(random.below(64)))
        if random.below(250) == 0 { record.topic = "nobody's" }
        report.records += 1
        switch pipeline.prepare(record, now: Instant(milliseconds: 1_772_000_000_000)) {
        case .filtered: report.filtered += 1
        case .dead(let reason):
            report.dead[reason.code, default: 0] += 1
            if reason.code.isEmpty || reason.reason.isEmpty { find("a dead letter without a reason") }
        case .change(let change):
            report.changes += 1
            let document = change.document
            if document.key.rawValue.isEmpty { find("an event without a key") }
            if plan.binding(document.application, document.entity) == nil { find("an event of \(document.entity), which nobody has") }
        }
    }

    private mutating func find(_ text: String) {
        if report.finding == nil { report.finding = "round \(report.records): \(text)" }
    }
}
