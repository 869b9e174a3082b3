package import HubCodec
import HubDriver
package import HubModel
package import HubRules

/// The first half of mediation's line, which needs no state: decode → validate → translate.
package struct InboundPipeline: Sendable {
    /// What a topic carries.
    package struct Source: Sendable {
        package var application: ApplicationID
        package var decoder: EnvelopeDecoder
        /// The native type of the topic's events, where the topic says it and not the event; nil where the event does.
        package var native: String?

        package init(application: ApplicationID, decoder: EnvelopeDecoder, native: String? = nil) {
            self.application = application
            self.decoder = decoder
            self.native = native
        }
    }

    /// What a record turned out to be.
    package enum Result: Sendable {
        case change(InboundChange)
        /// Well formed, but nothing that the hub keeps.
        case filtered
        case dead(DeadLetterReason)
    }

    /// Why a record cannot be worked.
    package struct DeadLetterReason: Error, Sendable {
        package var application: ApplicationID?
        /// A stable short name.
        package var code: String
        /// For the person who reads it; the place in Kafka is added by the caller.
        package var reason: String
    }

    private let plan: HubPlan
    private let sources: [String: Source]
    /// Validators by application and native type; absent where the type has no schema.
    private let schemas: [ApplicationID: [String: SchemaValidator]]

    /// - Parameter sources: inbound topics by name.
    package init(plan: HubPlan, sources: [String: Source], schemas: [ApplicationID: [String: SchemaValidator]] = [:]) {
        self.plan = plan
        self.sources = sources
        self.schemas = schemas
    }

    /// The inbound topics.
    package var topics: [String] { sources.keys.sorted() }

    /// Takes a record through decode, validate and translate. `now` stands in where the record has no time of its own.
    package func prepare(_ record: Record, now: Instant) -> Result {
        guard let source = sources[record.topic], let application = plan.applications[source.application] else {
            return .dead(DeadLetterReason(application: nil, code: "topic", reason: "no application publishes to this topic"))
        }
        if let entry = UnreadableEntry(record) {
            return .dead(DeadLetterReason(application: source.application, code: entry.code, reason: entry.reason))
        }
        do throws(DeadLetterReason) {
            guard let decoded = try decode(record, source) else { return .filtered }
            return try translate(decoded, record, application, source, now: now)
        } catch {
            return .dead(error)
        }
    }

    private func decode(_ record: Record, _ source: Source) throws(DeadLetterReason) -> DecodedEvent? {
        do throws(EnvelopeError) {
            switch try source.decoder.decode(record) {
            case .change(let event): return event
            case .ignored: return nil
            }
        } catch {
            throw DeadLetterReason(application: source.application, code: "\(error.code)", reason: error.message)
        }
    }

    private func translate(
        _ decoded: DecodedEvent, _ record: Record, _ application: ApplicationPlan, _ source: Source, now: Instant
    ) throws(DeadLetterReason) -> Result {
        let event = decoded.event
        let type = source.native ?? event.type
        guard let mappings = application.mappings[type] else { return .filtered }
        if let data = decoded.data, let schema = schemas[application.id]?[type] {
            let violations = schema.validate(data.value)
            if let first = violations.first {
                let more = violations.count > 1 ? " (and \(violations.count - 1) more)" : ""
                throw DeadLetterReason(
                    application: application.id, code: "schema",
                    reason:
                        "\(type) does not meet its schema: \(first.instancePath.isEmpty ? "the document" : first.instancePath) \(first.message)\(more)"
                )
            }
        }
        let mapping: Mapping
        if let data = decoded.data {
            guard let accepting = mappings.first(where: { $0.accepts(data) }) else { return .filtered }
            mapping = accepting
        } else {
            mapping = mappings[0]
        }
        if let data = decoded.data { try refuse(data, type, mapping, application.id) }
        guard let key = event.key ?? decoded.data.flatMap({ mapping.key(of: $0) }), !key.rawValue.isEmpty else {
            throw DeadLetterReason(
                application: application.id, code: "no-key",
                reason: "\(type) has no key: neither the envelope nor \(mapping.keyPath.joined(separator: ".")) in the data names one. "
                    + "A CloudEvent needs a subject or the extension mpkey (its record's key does not count), any other record a key")
        }
        guard key.rawValue.utf8.count <= 512 else {
            throw DeadLetterReason(
                application: application.id, code: "no-key", reason: "the key is \(key.rawValue.utf8.count) bytes long; 512 are the limit")
        }
        let company = try company(decoded, mapping, application)
        let alternatives = decoded.data == nil ? try alternatives(decoded, mappings, key, application, besides: company) : []
        let timeZone = plan.timeZone(company)
        let fields: Fields
        do throws(TranslationError) {
            fields = if let data = decoded.data { try mapping.translate(data, timeZone: timeZone) } else { Fields() }
        } catch {
            throw DeadLetterReason(application: application.id, code: "translation", reason: "\(type) \(key): \(error)")
        }
        let broker = record.timestamp.map { Instant(milliseconds: $0) } ?? now
        return .change(
            InboundChange(
                document: NativeReference(application.id, company, mapping.entity, key), alternatives: alternatives,
                operation: event.operation, fields: fields,
                native: decoded.data.map { RawJSON($0) } ?? .none,
                position: event.position ?? SourcePosition(minor: record.offset), token: event.token,
                time: min(event.time ?? broker, broker), reference: event.reference, event: event.id, record: record))
    }

    /// A field whose kind has changed is not taken up: it would spread as a value of another kind.
    private func refuse(_ data: JSONNode, _ native: String, _ mapping: Mapping, _ application: ApplicationID) throws(DeadLetterReason) {
        guard let stop = plan.stops[application]?[mapping.entity] else { return }
        for field in stop.fields where field.native == native {
            guard let told = data[native: field.path], told.kind != .null else { continue }
            throw DeadLetterReason(
                application: application, code: "field-changed", reason: "\(field.reason); replay it when that is mended")
        }
    }

    /// What an event without data may mean besides: any of the entities that the type may be, of any company where it names none.
    private func alternatives(
        _ decoded: DecodedEvent, _ mappings: [Mapping], _ key: NativeKey, _ application: ApplicationPlan, besides first: CompanyID
    ) throws(DeadLetterReason) -> [NativeReference] {
        var documents: [NativeReference] = []
        for mapping in mappings {
            let isOpen = decoded.event.company == nil && isPerCompany(mapping, application)
            for company in isOpen ? application.companies.keys.sorted() : [try company(decoded, mapping, application)] {
                documents.append(NativeReference(application.id, company, mapping.entity, key))
            }
        }
        return documents.filter { $0.entity != mappings[0].entity || $0.company != first }
    }

    private func isPerCompany(_ mapping: Mapping, _ application: ApplicationPlan) -> Bool {
        application.bindings[mapping.entity]?.manifest.isPerCompany == true
    }

    /// The company that the document belongs to; where an event without data names none, the first of the application's.
    private func company(
        _ decoded: DecodedEvent, _ mapping: Mapping, _ application: ApplicationPlan
    ) throws(DeadLetterReason) -> CompanyID {
        guard isPerCompany(mapping, application) else { return .shared }
        guard let native = decoded.event.company ?? decoded.data.flatMap({ mapping.company(of: $0) }) else {
            if decoded.data == nil, let first = application.companies.keys.min() { return first }
            throw DeadLetterReason(
                application: application.id, code: "company",
                reason: "\(mapping.native) names no company, and the entity is kept per company")
        }
        guard let company = application.company(named: native) else {
            throw DeadLetterReason(
                application: application.id, code: "company",
                reason:
                    "company \"\(native)\" is not among the application's companies: add it under applications.\(application.id).companies")
        }
        return company
    }
}
