import HubCodec
import HubDriver
import HubModel

/// An application as far as it can be read without knowing the entities.
struct ApplicationDraft {
    var id: ApplicationID
    var place: Place
    var node: ConfigurationNode
    /// nil where the driver is unknown.
    var factory: (any DriverFactory.Type)?
    /// nil where a setting is wrong.
    var settings: DriverSettings?
    /// A setting could not be read from the environment or its file. That has been told, and something else stands in its place: what the
    /// driver makes of it is no mistake of its own.
    var hasStandIns = false
    var driver: (any Driver)?
    var signal: (any Capturing)?
    var companions: [SignalMap.Companion] = []
    var manifest: Manifest?
    var companies: [CompanyID: String]
    var topics: [TopicSetting]
    var envelope: EnvelopeSetting

    /// One member of `topics`.
    struct TopicSetting {
        var native: String
        var topic: String
        /// nil where the application's holds.
        var envelope: EnvelopeSetting?
        var node: ConfigurationNode
    }

    /// Native type → topic, and how each topic's records are wrapped.
    ///
    /// - Parameter isCertain: the mappings are without mistakes, so that a type that none of them is for is one.
    func tables(_ mappings: [Mapping], isCertain: Bool) -> (topics: [String: String], envelopes: [String: EnvelopeDeclaration]) {
        let natives = Set(mappings.flatMap(\.natives))
        var table: [String: String] = [:]
        for native in natives { table[native] = Self.defaultTopic(id, native) }
        for setting in topics {
            if natives.contains(setting.native) {
                table[setting.native] = setting.topic
            } else if isCertain {
                setting.node.mistake(
                    "no mapping of \(id) is for the native type \(setting.native)", Suggestion.text(setting.native, natives.sorted()))
            }
        }
        var envelopes: [String: EnvelopeDeclaration] = [:]
        for (topic, natives) in Dictionary(grouping: table.keys, by: { table[$0] ?? "" }) {
            let named = topics.filter { $0.topic == topic }
            let envelope = named.compactMap(\.envelope).first ?? envelope
            let native = natives.count == 1 ? natives.first : nil
            if envelope.format == .plain || envelope.tombstone == .delete, native == nil {
                (named.first?.node ?? node).mistake(
                    "topic \(topic) carries \(natives.sorted().joined(separator: " and ")), and nothing in its records tells them apart",
                    "give each type a topic of its own")
            }
            envelopes[topic] = envelope.declaration(native: native, isNamed: !named.isEmpty)
        }
        return (table, envelopes)
    }

    /// nil where a mistake leaves nothing to build on.
    func configuration(
        _ mappings: [Mapping], _ tables: (topics: [String: String], envelopes: [String: EnvelopeDeclaration])
    ) -> ApplicationConfiguration? {
        guard let factory, let settings, let driver, let manifest else { return nil }
        return ApplicationConfiguration(
            id: id, factory: factory, settings: settings, driver: driver, signal: signal, companions: companions, manifest: manifest,
            mappings: mappings, topics: tables.topics, envelopes: tables.envelopes)
    }

    /// `<application>.<native>`, other characters than Kafka allows replaced.
    static func defaultTopic(_ id: ApplicationID, _ native: String) -> String { "\(id)." + native.map { isTopic($0) ? $0 : "_" } }

    static func isTopic(_ c: Character) -> Bool { c.isASCII && (c.isLetter || c.isNumber || "._-".contains(c)) }
}

/// Reads one member of `applications`.
struct ApplicationReader {
    static let keys = ["driver", "companies", "topics", "envelope", "limits"]
    /// Settings of the driver that says which documents have changed: `signal.connection`.
    private static let signal = "signal."
    private static let standardSignal = "postgresql"

    let id: ApplicationID
    let member: ConfigurationNode.Member
    let catalog: [any DriverFactory.Type]
    let companies: [CompanyID]
    let surroundings: Surroundings

    private var node: ConfigurationNode { member.node }

    func read() -> ApplicationDraft {
        var draft = ApplicationDraft(
            id: id, place: member.place, node: node, companies: readCompanies(), topics: readTopics(),
            envelope: EnvelopeSetting.read(node["envelope"]))
        _ = node.members("\(id): { driver: … }")
        guard let name = member.required("driver", "driver: and one of \(catalog.map { $0.name }.sorted().joined(separator: ", "))")
        else {
            node.check(keys: Self.keys, or: catalog.flatMap { $0.settings.map(\.name) })
            return draft
        }
        guard let factory = catalog.first(where: { $0.name == name }) else {
            node["driver"]?.mistake("there is no driver \(name)", Suggestion.text(name, catalog.map { $0.name }.sorted()))
            return draft
        }
        draft.factory = factory
        guard let read = settings(factory) else { return draft }
        let settings = DriverSettings(application: id, values: read.values, companies: draft.companies)
        draft.settings = settings
        draft.hasStandIns = read.hasStandIns
        do throws(DriverError) {
            let driver = try factory.make(settings)
            let contradictions = driver.manifest.contradictions(
                looksUp: driver is any LookingUp, reads: driver is any Reading, answers: driver is any Answering)
            if !contradictions.isEmpty, !read.hasStandIns {
                node.mistake("the manifest of the driver \(name) contradicts itself: \(contradictions.joined(separator: "; "))")
            }
            draft.driver = driver
            draft.manifest = limited(driver.manifest)
            if !signalMembers.isEmpty {
                let map = try factory.signal(settings)
                draft.companions = map?.companions ?? []
                draft.signal = readSignal(for: driver, settings, map)
                draft.manifest?.tellNoStamps()
            }
        } catch {
            if !read.hasStandIns { node.mistake("the driver refuses these settings: \(error.message)") }
        }
        return draft
    }

    // MARK: The signal

    private var signalMembers: [ConfigurationNode.Member] {
        guard node.isMap else { return [] }
        return node.members("\(id): { driver: … }").filter { $0.name.hasPrefix(Self.signal) }
    }

    /// nil where a setting is wrong, or the two drivers do not go together.
    private func readSignal(for driver: any Driver, _ settings: DriverSettings, _ map: SignalMap?) -> (any Capturing)? {
        let name = node[Self.signal + "driver"]?.text("signal.driver: \(Self.standardSignal)") ?? Self.standardSignal
        guard let factory = catalog.first(where: { $0.name == name }) else {
            node.mistake("there is no driver \(name) for the signal", Suggestion.text(name, catalog.map { $0.name }.sorted()))
            return nil
        }
        let known = factory.settings.map { Self.signal + $0.name } + [Self.signal + "driver"]
        for member in signalMembers where !known.contains(member.name) {
            member.node.mistake("\(name) has no such setting", Suggestion.text(member.name, known))
        }
        // What a driver knows of its tables is written in the words of the standard signal.
        guard let read = self.settings(factory, prefix: Self.signal, map: name == Self.standardSignal ? map : nil) else { return nil }
        guard driver is any Reading else {
            node.mistake("the driver cannot read the documents that a signal names", "leave the settings \(Self.signal)… out")
            return nil
        }
        do throws(DriverError) {
            let made = try factory.make(DriverSettings(application: id, values: read.values, companies: settings.companies))
            guard let signal = made as? any Capturing else {
                node.mistake("\(name) hears of no changes with these settings", "its tables need feed=slot")
                return nil
            }
            return signal
        } catch {
            if !read.hasStandIns { node.mistake("the signal's driver refuses these settings: \(error.message)") }
            return nil
        }
    }

    // MARK: Settings

    private struct Settings {
        var values: [String: String] = [:]
        /// See ``ApplicationDraft/hasStandIns``.
        var hasStandIns = false
    }

    /// nil where one is wrong or missing, other than by what the environment or a file lacks.
    ///
    /// - Parameter map: has values of its own for settings that are not written.
    private func settings(_ factory: any DriverFactory.Type, prefix: String = "", map: SignalMap? = nil) -> Settings? {
        let known = factory.settings
        if prefix.isEmpty, !factory.acceptsOtherSettings {
            node.check(keys: Self.keys, or: known.map(\.name) + signalMembers.map(\.name))
        }
        var isComplete = true
        var result = Settings()
        for setting in known {
            let name = prefix + setting.name
            guard let value = node[name] else {
                if let own = map?.setting(setting.name, nil) {
                    result.values[setting.name] = own
                    continue
                }
                guard setting.isRequired else { continue }
                let form = setting.isSecret ? "{ env: NAME } or { file: path }" : "…"
                node.mistakes.add(member.place, node.path(name), "missing: \(setting.help)", "write \(name): \(form)")
                isComplete = false
                continue
            }
            guard let text = value.setting(isSecret: setting.isSecret, surroundings) else {
                if value.isElsewhere && !setting.isPath {
                    result.values[setting.name] = Surroundings.standIn
                    result.hasStandIns = true
                } else {
                    isComplete = false
                }
                continue
            }
            result.values[setting.name] = setting.isPath ? surroundings.absolute(text) : map?.setting(setting.name, text) ?? text
        }
        if factory.acceptsOtherSettings, prefix.isEmpty {
            let others = node.members("\(id): { driver: … }").filter {
                !Self.keys.contains($0.name) && !$0.name.hasPrefix(Self.signal)
            }
            for member in others where !known.contains(where: { $0.name == member.name }) {
                if let text = member.node.otherSetting(surroundings) {
                    result.values[member.name] = text
                } else if member.node.isElsewhere {
                    result.values[member.name] = Surroundings.standIn
                    result.hasStandIns = true
                } else {
                    isComplete = false
                }
            }
        }
        return isComplete ? result : nil
    }

    private func readCompanies() -> [CompanyID: String] {
        guard let node = node["companies"] else { return [:] }
        var result: [CompanyID: String] = [:]
        var natives: [String: String] = [:]
        for member in node.members("companies: { fr: 1 }") {
            guard companies.contains(CompanyID(member.name)) else {
                node.mistakes.add(
                    member.place, member.node.key, "there is no company \(member.name)",
                    Suggestion.text(member.name, companies.map(\.rawValue)) ?? "name it under companies first")
                continue
            }
            guard let native = member.node.text("\(member.name): and the application's own name of the company") else { continue }
            if let other = natives[native] {
                member.node.mistake("\(native) stands for \(other) already", "each company needs a name of its own in the application")
            }
            natives[native] = member.name
            result[CompanyID(member.name)] = native
        }
        return result
    }

    private func readTopics() -> [ApplicationDraft.TopicSetting] {
        guard let node = node["topics"] else { return [] }
        return node.members("topics: { sale.order: crm-orders }").compactMap { member in
            var name = member.node
            var envelope: EnvelopeSetting?
            if member.node.isMap {
                member.node.check(keys: ["topic", "envelope"])
                guard let inner = member.node["topic"] else {
                    member.node.mistake(in: "topic", "missing", "write topic: and its name")
                    return nil
                }
                name = inner
                envelope = member.node["envelope"].map { EnvelopeSetting.read($0) }
            }
            guard let topic = name.text("\(member.name): and a topic") else { return nil }
            guard !topic.isEmpty, topic.utf8.count <= 249, topic.allSatisfy(ApplicationDraft.isTopic), topic != ".", topic != ".." else {
                name.mistake("\(topic) cannot be a topic", "use up to 249 letters, digits, dots, - and _")
                return nil
            }
            return ApplicationDraft.TopicSetting(native: member.name, topic: topic, envelope: envelope, node: member.node)
        }
    }

    /// The manifest within the limits configured: they may be lower than what the driver says that its application bears, not higher.
    private func limited(_ manifest: Manifest) -> Manifest {
        guard let node = node["limits"] else { return manifest }
        var manifest = manifest
        _ = node.members("limits: { callsPerMinute: 600 }")
        node.check(keys: ["batch", "concurrentCalls", "callsPerMinute"])
        if let batch = node["batch"]?.integer(1...manifest.limits.batch) { manifest.limits.batch = batch }
        if let calls = node["concurrentCalls"]?.integer(1...manifest.limits.concurrentCalls) { manifest.limits.concurrentCalls = calls }
        if let calls = node["callsPerMinute"]?.integer(1...(manifest.limits.callsPerMinute ?? 1_000_000)) {
            manifest.limits.callsPerMinute = calls
        }
        return manifest
    }
}

extension Manifest {
    /// Documents are told at the places of a signal, which reads do not know.
    fileprivate mutating func tellNoStamps() {
        for place in entities.indices { entities[place].hasStamp = false }
    }
}
