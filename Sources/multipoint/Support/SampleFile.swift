import HubDriver
import HubModel

/// `samples.json`: how the conformance kit makes and changes documents of each native type, for drivers without a test in Swift.
///
/// In texts `$mark` stands for a short text that is used once; a text `$key:client` stands for the key of a document of that type, made
/// before.
struct SampleFile: Sendable {
    /// What is wrong with the file, for people.
    struct Mistake: Error {
        var text: String
    }

    struct Entry: Sendable {
        var native: String
        var company: String?
        /// The members of a new document.
        var create: Fields
        /// Members that an update sets.
        var change: Fields
        /// Members that a person changes meanwhile; nil: nobody does.
        var edit: Fields?
        var texts: [String]
        /// Member → its decimals.
        var decimals: [String: Int]
        var dates: [String]
        var rules: [Rule]
    }

    /// How one rule is broken.
    struct Rule: Sendable {
        var name: String
        var operation: Delivery.Operation
        /// Members that spoil a good delivery; of an update or a delete that breaks the rule as it is, none.
        var set: Fields
        /// A document like it is made before.
        var isTwice: Bool
        /// Why it cannot be broken; nil where it can.
        var reason: String?
    }

    /// A question to be asked of a function.
    struct Question: Sendable {
        var function: String
        var company: String?
        var arguments: Fields
        /// Laid over the arguments: names what is not there.
        var unknown: Fields
    }

    /// The member that holds questions; native types have no such name.
    private static let questionsName = "$questions"

    var entries: [Entry]
    var questions: [Question]

    init(_ bytes: [UInt8]) throws(Mistake) {
        let value: Value
        do throws(JSONTextError) { value = try JSONText.value(bytes) } catch { throw Mistake(text: error.reason) }
        entries = []
        questions = []
        for (native, sample) in try Self.object(value, "the file") {
            if native == Self.questionsName {
                for element in sample.array ?? [] { questions.append(try Self.question(element)) }
            } else {
                entries.append(try Self.entry(native, sample))
            }
        }
        if entries.isEmpty { throw Mistake(text: "it has no sample") }
    }

    private static func question(_ value: Value) throws(Mistake) -> Question {
        let place = questionsName
        let fields = try object(value, place)
        let known = ["function", "company", "arguments", "unknown"]
        if let name = fields.names.first(where: { !known.contains($0) }) {
            throw Mistake(text: "\(place) has a member \(name); there are \(known.joined(separator: ", "))")
        }
        guard let function = fields["function"]?.text else { throw Mistake(text: "a question of \(place) needs its function") }
        return Question(
            function: function, company: fields["company"]?.text, arguments: try object(fields["arguments"] ?? [:], "\(place).arguments"),
            unknown: try object(fields["unknown"] ?? [:], "\(place).unknown"))
    }

    private static func entry(_ native: String, _ value: Value) throws(Mistake) -> Entry {
        let fields = try object(value, native)
        let known = ["company", "create", "change", "edit", "texts", "decimals", "dates", "rules"]
        if let name = fields.names.first(where: { !known.contains($0) }) {
            throw Mistake(text: "\(native) has a member \(name); there are \(known.joined(separator: ", "))")
        }
        var decimals: [String: Int] = [:]
        for (name, scale) in try object(fields["decimals"] ?? [:], "\(native).decimals") {
            guard let number = scale.integer, (0...18).contains(number) else {
                throw Mistake(text: "\(native).decimals.\(name) has to be a number of decimals")
            }
            decimals[name] = Int(number)
        }
        var rules: [Rule] = []
        for (name, rule) in try object(fields["rules"] ?? [:], "\(native).rules") {
            let place = "\(native).rules.\(name)"
            let members = try object(rule, place)
            let known = ["on", "set", "twice", "cannot"]
            if let other = members.names.first(where: { !known.contains($0) }) {
                throw Mistake(text: "\(place) has a member \(other); there are \(known.joined(separator: ", "))")
            }
            guard let operation = Delivery.Operation(rawValue: members["on"]?.text ?? "create") else {
                throw Mistake(text: "\(place).on has to be create, update or delete")
            }
            rules.append(
                Rule(
                    name: name, operation: operation, set: try object(members["set"] ?? [:], "\(place).set"),
                    isTwice: members["twice"]?.bool ?? false, reason: members["cannot"]?.text))
        }
        guard let create = fields["create"], let change = fields["change"] else {
            throw Mistake(text: "\(native) needs create and change: the members of a new document, and those that an update sets")
        }
        return Entry(
            native: native, company: fields["company"]?.text, create: try object(create, "\(native).create"),
            change: try object(change, "\(native).change"),
            edit: try fields["edit"].map { (value) throws(Mistake) in
                try object(value, "\(native).edit")
            },
            texts: try names(fields["texts"], "\(native).texts"), decimals: decimals, dates: try names(fields["dates"], "\(native).dates"),
            rules: rules)
    }

    private static func object(_ value: Value, _ place: String) throws(Mistake) -> Fields {
        guard case .object(let fields) = value else { throw Mistake(text: "\(place) has to be an object") }
        return fields
    }

    private static func names(_ value: Value?, _ place: String) throws(Mistake) -> [String] {
        guard let value else { return [] }
        guard let names = value.array?.compactMap(\.text), names.count == value.array?.count else {
            throw Mistake(text: "\(place) has to be a list of members' names")
        }
        return names
    }

    /// The members with `$mark` replaced in every text.
    static func marked(_ fields: Fields, _ mark: String) -> Fields {
        Fields(fields.map { ($0.name, marked($0.value, mark)) })
    }

    private static func marked(_ value: Value, _ mark: String) -> Value {
        switch value {
        case .string(let text): .string(text.replacing("$mark", with: mark))
        case .array(let elements): .array(elements.map { marked($0, mark) })
        case .object(let fields): .object(marked(fields, mark))
        default: value
        }
    }

    /// Native types whose keys stand in the members.
    static func wanted(_ value: Value) -> Set<String> {
        switch value {
        case .string(let text) where text.hasPrefix("$key:"): [String(text.dropFirst(5))]
        case .array(let elements): elements.reduce(into: []) { $0.formUnion(wanted($1)) }
        case .object(let fields): fields.reduce(into: []) { $0.formUnion(wanted($1.value)) }
        default: []
        }
    }

    /// The members with keys in the place of `$key:client`.
    static func keyed(_ value: Value, _ keys: [String: NativeKey]) -> Value {
        switch value {
        case .string(let text) where text.hasPrefix("$key:"): keys[String(text.dropFirst(5))].map { .string($0.rawValue) } ?? value
        case .array(let elements): .array(elements.map { keyed($0, keys) })
        case .object(let fields): .object(Fields(fields.map { ($0.name, keyed($0.value, keys)) }))
        default: value
        }
    }
}
