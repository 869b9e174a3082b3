import HubDriver
import HubModel

/// What a process says of itself in the handshake.
struct Description: Sendable {
    /// The version of the protocol that this hub speaks.
    static let protocolVersion: Int64 = 1

    var manifest: Manifest
    var capabilities: Set<Method>
    /// How long the hub waits for an answer, where that differs from the manifest's answer time.
    var times: [Method: Duration]

    /// How long the hub waits for an answer to a call.
    func time(_ method: Method) -> Duration { times[method] ?? manifest.answerTime }

    /// - Throws: a ``DriverError`` that names everything in which the description contradicts itself, for the person who wrote the driver.
    init(_ value: Value) throws(DriverError) {
        do throws(Shape.Mismatch) {
            try self.init(reading: Shape(value, ""))
        } catch {
            throw DriverError(.configuration, "the description cannot be used: \(error.text)")
        }
        let contradictions = manifest.contradictions(
            looksUp: capabilities.contains(.lookUp), reads: capabilities.contains(.read))
        guard contradictions.isEmpty else {
            throw DriverError(.configuration, "the manifest contradicts itself: \(contradictions.joined(separator: "; "))")
        }
    }

    private init(reading shape: Shape) throws(Shape.Mismatch) {
        try shape.check(only: ["protocol", "manifest", "capabilities", "answerMilliseconds"])
        let version = try shape.member("protocol").integer()
        guard version == Self.protocolVersion else {
            throw Shape.Mismatch(text: "it speaks protocol \(version), and this hub \(Self.protocolVersion)")
        }
        manifest = try Self.manifest(try shape.member("manifest"))
        capabilities = []
        for element in try shape.member("capabilities").array() {
            let name = try element.text()
            guard let method = Method(rawValue: name), method.isCapability else {
                throw Shape.Mismatch(text: "\(element.place) is \(name); there are \(Method.capabilities)")
            }
            capabilities.insert(method)
        }
        times = [:]
        guard let special = try shape.optional("answerMilliseconds") else { return }
        for name in try special.fields().names {
            guard let method = Method(rawValue: name), method != .describe else {
                throw Shape.Mismatch(text: "answerMilliseconds has a member \(name), and there is no such call")
            }
            times[method] = .milliseconds(try special.member(name).integer(1...86_400_000))
        }
    }

    private static func manifest(_ shape: Shape) throws(Shape.Mismatch) -> Manifest {
        try shape.check(
            only: [
                "driver", "version", "summary", "entities", "settleMilliseconds", "answerMilliseconds", "limits", "pollMilliseconds",
                "window",
                "functions",
            ])
        var entities: [EntityManifest] = []
        for element in try shape.member("entities").array() { entities.append(try entity(element)) }
        return Manifest(
            driver: try shape.member("driver").name(), version: try shape.member("version").name(),
            summary: try shape.member("summary").text(), entities: entities,
            settleTime: .milliseconds(try shape.member("settleMilliseconds").integer(1...86_400_000)),
            answerTime: .milliseconds(try shape.member("answerMilliseconds").integer(1...86_400_000)),
            limits: try limits(try shape.optional("limits")),
            pollTime: .milliseconds(try shape.optional("pollMilliseconds")?.integer(0...86_400_000) ?? 0),
            window: try shape.member("window").text(),
            functions: try functions(try shape.optional("functions")))
    }

    private static func functions(_ shape: Shape?) throws(Shape.Mismatch) -> [FunctionManifest] {
        var functions: [FunctionManifest] = []
        for element in try shape?.array() ?? [] {
            try element.check(only: ["name", "summary", "parameters", "results"])
            var parameters: [FunctionParameter] = []
            for inner in try element.member("parameters").array() { parameters.append(try parameter(inner)) }
            var results: [FunctionResult] = []
            for inner in try element.member("results").array() {
                try inner.check(only: ["name", "help"])
                results.append(FunctionResult(try inner.member("name").name(), help: try inner.member("help").text()))
            }
            functions.append(
                FunctionManifest(
                    name: try element.member("name").name(), summary: try element.member("summary").text(), parameters: parameters,
                    results: results))
        }
        return functions
    }

    private static func parameter(_ shape: Shape) throws(Shape.Mismatch) -> FunctionParameter {
        try shape.check(only: ["name", "kind", "entity", "isRequired", "help"])
        let kind: FunctionParameter.Kind
        switch try shape.member("kind").text() {
        case "text": kind = .text
        case "decimal": kind = .decimal
        case "date": kind = .date
        case "company": kind = .company
        case "reference": kind = .reference(EntityName(try shape.member("entity").name()))
        case "document": kind = .document
        default:
            throw Shape.Mismatch(text: "\(shape.place).kind has to be text, decimal, date, company, reference or document")
        }
        return FunctionParameter(
            try shape.member("name").name(), kind, isRequired: try shape.optional("isRequired")?.bool() ?? false,
            help: try shape.member("help").text())
    }

    private static func limits(_ shape: Shape?) throws(Shape.Mismatch) -> Manifest.Limits {
        // A driver that says nothing is given one call at a time: that, every driver can do.
        guard let shape else { return Manifest.Limits(batch: 1, concurrentCalls: 1) }
        try shape.check(only: ["batch", "concurrentCalls", "callsPerMinute"])
        return Manifest.Limits(
            batch: Int(try shape.optional("batch")?.integer(1...10_000) ?? 1),
            concurrentCalls: Int(try shape.optional("concurrentCalls")?.integer(1...1_000) ?? 1),
            callsPerMinute: try shape.optional("callsPerMinute").map { (inner) throws(Shape.Mismatch) in
                Int(try inner.integer(1...1_000_000))
            })
    }

    private static func entity(_ shape: Shape) throws(Shape.Mismatch) -> EntityManifest {
        try shape.check(
            only: [
                "native", "entity", "operations", "createIsRepeatable", "hasToken", "hasStamp", "tellsReference", "tellsDeletes", "delete",
                "isPerCompany", "transitions", "rules",
            ])
        var operations: Set<Delivery.Operation> = []
        for element in try shape.member("operations").array() { operations.insert(try element.word(Delivery.Operation.self)) }
        var transitions: [String: [String]] = [:]
        if let table = try shape.optional("transitions") {
            for name in try table.fields().names { transitions[name] = try texts(try table.member(name)) }
        }
        return EntityManifest(
            native: try shape.member("native").name(), entity: EntityName(try shape.member("entity").name()), operations: operations,
            createIsRepeatable: try shape.member("createIsRepeatable").bool(), hasToken: try shape.member("hasToken").bool(),
            hasStamp: try shape.optional("hasStamp")?.bool() ?? false, tellsReference: try shape.member("tellsReference").bool(),
            tellsDeletes: try shape.member("tellsDeletes").bool(),
            delete: try shape.member("delete").word(EntityManifest.DeleteMeaning.self),
            isPerCompany: try shape.optional("isPerCompany")?.bool() ?? false, transitions: transitions,
            rules: try texts(try shape.optional("rules")))
    }

    private static func texts(_ shape: Shape?) throws(Shape.Mismatch) -> [String] {
        var texts: [String] = []
        for element in try shape?.array() ?? [] { texts.append(try element.text()) }
        return texts
    }
}
