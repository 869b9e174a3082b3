import HubDriver
import HubModel
import HubRules

/// Reads one configuration file and all that it names, gathering mistakes on the way.
struct ConfigurationReader {
    static let keys = ["hub", "bus", "store", "companies", "applications", "entities", "delivery", "http"]

    let root: ConfigurationNode
    let catalog: [any DriverFactory.Type]
    let surroundings: Surroundings
    let mistakes: MistakeList

    /// nil where a mistake leaves nothing to build on; mistakes are in ``mistakes`` either way.
    func read(file: String, busCheck: ([Configuration.BusProperty]) -> [String]) -> Configuration? {
        root.check(keys: Self.keys)
        let hub = name(of: "hub", "hub: acme")
        let bus = self.bus(busCheck)
        let store = self.store(hub)
        let companies = self.companies()
        let drafts = self.applications(hub: hub, companies: companies.known)
        let entities = EntityReader(
            root: root, applications: drafts, mappings: MappingReader(surroundings: surroundings, mistakes: mistakes),
            mistakes: mistakes
        ).read()
        let delivery = self.delivery()
        let http = self.http(drafts.map(\.id))
        var applications: [ApplicationConfiguration] = []
        var owners: [String: ApplicationID] = [:]
        for draft in drafts {
            let mappings = entities.mappings[draft.id] ?? []
            let tables = draft.tables(mappings, isCertain: !entities.uncertain.contains(draft.id))
            checkTopics(tables.topics, draft, &owners)
            if let application = draft.configuration(mappings, tables) { applications.append(application) }
        }
        guard mistakes.isEmpty, let hub, let bus, let store else { return nil }
        return Configuration(
            file: file, hub: hub, bus: bus, storePath: store.path, storeServer: store.server, companies: companies.resolved,
            applications: applications,
            entities: entities.policies, delivery: delivery, http: http)
    }

    // MARK: Small parts

    private func name(of key: String, _ example: String) -> String? {
        guard let node = root[key] else {
            root.mistake(in: key, "missing", "write \(example)")
            return nil
        }
        guard let text = node.text(example) else { return nil }
        return Self.isName(text) ? text : node.badName(text)
    }

    /// Names become parts of topics, groups and files.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 60, isAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private func bus(_ check: ([Configuration.BusProperty]) -> [String]) -> Configuration.BusSettings? {
        let example = "bus: { bootstrap.servers: \"kafka:9092\" }"
        guard let node = root["bus"] else {
            root.mistake(in: "bus", "missing", "write \(example), or bus: { embedded: true } to try things out")
            return nil
        }
        var settings = Configuration.BusSettings()
        var places: [String: ConfigurationNode.Member] = [:]
        for member in node.members(example) {
            switch member.name {
            case "embedded": settings.isEmbedded = member.node.bool() ?? false
            case "recordsGone":
                switch member.node.text("recordsGone: continue") {
                case "stop": settings.stopsWhenRecordsAreGone = true
                case "continue", nil: break
                case let other?: member.node.mistake("\(other) is no policy for records that are gone", "write continue or stop")
                }
            case "partitions": settings.partitions = member.node.integer(1...10_000) ?? 4
            default:
                places[member.name] = member
                let isSecret = member.name.hasSuffix("password") || member.name.hasSuffix("secret")
                // A secret that cannot be read has been told; that it is missing must not be told again.
                guard let value = member.node.setting(isSecret: isSecret, surroundings) ?? (isSecret ? "-" : nil) else { continue }
                settings.properties.append(Configuration.BusProperty(name: member.name, value: value))
            }
        }
        if settings.isEmbedded {
            if let servers = places["bootstrap.servers"] {
                mistakes.add(servers.place, servers.node.key, "the embedded bus has an address of its own", "leave one of the two out")
            }
            return settings
        }
        if places["bootstrap.servers"] == nil {
            node.mistake(in: "bootstrap.servers", "missing", "write \(example)")
            return nil
        }
        for text in check(settings.properties) {
            let name = text.prefix { $0 != ":" }
            let place = places[String(name)]?.place ?? node.place
            let reason = text.dropFirst(name.count).drop { $0 == ":" || $0 == " " }
            if reason.isEmpty || places[String(name)] == nil {
                mistakes.add(place, node.key, text)
            } else {
                mistakes.add(
                    place, node.path(String(name)), String(reason),
                    reason == "no such property" ? "see librdkafka's CONFIGURATION.md for the names" : nil)
            }
        }
        return settings
    }

    private func companies() -> (known: [CompanyID], resolved: [CompanyID: Configuration.Company]) {
        guard let node = root["companies"] else { return ([], [:]) }
        var known: [CompanyID] = []
        var resolved: [CompanyID: Configuration.Company] = [:]
        for member in node.members("companies: { fr: { currency: EUR, timeZone: Europe/Paris } }") {
            guard Self.isName(member.name) else {
                _ = member.node.badName(member.name)
                continue
            }
            let company = CompanyID(member.name)
            known.append(company)
            _ = member.node.members("{ currency: EUR, timeZone: Europe/Paris }")
            member.node.check(keys: ["currency", "timeZone"])
            let currency = member.required("currency", "currency: EUR")
            if let currency, !CurrencyCode.all.contains(currency) {
                member.node["currency"]?.mistake(
                    "no currency in use has the ISO 4217 code \(currency)", Suggestion.text(currency, CurrencyCode.all))
            }
            guard let name = member.required("timeZone", "timeZone: Europe/Paris") else { continue }
            guard let zone = TimeZoneName.zone(name) else {
                let near = Suggestion.nearest(name, TimeZoneName.all)
                member.node["timeZone"]?.mistake(
                    "there is no time zone \(name)", near.map { "did you mean \"\($0)\"?" } ?? "write one such as Europe/Paris")
                continue
            }
            if let currency { resolved[company] = Configuration.Company(currency: currency, timeZone: zone) }
        }
        return (known, resolved)
    }

    private func delivery() -> Configuration.DeliveryTuning {
        var tuning = Configuration.DeliveryTuning()
        guard let node = root["delivery"] else { return tuning }
        _ = node.members("delivery: { attemptLimit: 8 }")
        node.check(keys: ["correctionLimit", "correctionWindow", "attemptLimit", "recheck"])
        tuning.correctionLimit = node["correctionLimit"]?.integer(1...1_000)
        tuning.correctionWindow = node["correctionWindow"]?.duration()
        tuning.attemptLimit = node["attemptLimit"]?.integer(1...1_000)
        tuning.recheck = node["recheck"]?.duration()
        return tuning
    }

    // MARK: Applications

    private func applications(hub: String?, companies: [CompanyID]) -> [ApplicationDraft] {
        guard let node = root["applications"] else {
            root.mistake(in: "applications", "missing", "write applications: { crm: { driver: … } }")
            return []
        }
        var drafts: [ApplicationDraft] = []
        let members = node.members("applications: { crm: { driver: … } }")
        if members.isEmpty { node.mistake("no application", "write applications: { crm: { driver: … } }") }
        for member in members {
            guard Self.isName(member.name) else {
                _ = member.node.badName(member.name)
                continue
            }
            if member.name == hub {
                mistakes.add(
                    member.place, member.node.key, "an application must not be named as the hub, as their topics would be the same",
                    "give one of them another name")
            }
            let reader = ApplicationReader(
                id: ApplicationID(member.name), member: member, catalog: catalog, companies: companies, surroundings: surroundings)
            drafts.append(reader.read())
        }
        return drafts
    }

    private func checkTopics(_ topics: [String: String], _ draft: ApplicationDraft, _ owners: inout [String: ApplicationID]) {
        for topic in Set(topics.values).sorted() {
            if let other = owners[topic] {
                draft.node.mistake(in: "topics", "topic \(topic) is read for \(other) already", "give each application topics of its own")
            }
            owners[topic] = draft.id
        }
    }
}

extension ConfigurationNode {
    /// Notes that a name cannot be used.
    func badName(_ text: String) -> String? {
        mistake(
            "\"\(text)\" cannot be a name", "use up to 60 letters, digits, - and _, a letter or digit first (they become parts of topics)")
        return nil
    }
}

extension ConfigurationNode.Member {
    /// The text under a key that must be there.
    func required(_ key: String, _ example: String) -> String? {
        if let inner = node[key] { return inner.text(example) }
        if node.isMap || node.isNull { node.mistakes.add(place, node.path(key), "missing", "write \(example)") }
        return nil
    }
}
