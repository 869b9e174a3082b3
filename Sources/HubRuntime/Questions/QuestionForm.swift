import HubCodec
package import HubDriver
package import HubModel
package import HubRules
package import HubStore

/// Makes a driver's question of what a person or a program asks: every argument is checked against what the function declares, and
/// references become the application's own keys.
package struct QuestionForm: Sendable {
    package let plan: HubPlan
    package let application: ApplicationPlan
    package let function: FunctionManifest

    /// How an argument names a document of the application itself, past the hub's links: `native:17`.
    package static let nativePrefix = "native:"
    /// The member that says the same of a whole document: `{"native": {…}}`.
    static let nativeMember = "native"

    /// - Throws: where there is no such application, or it has no such function; the text says which there are.
    package init(plan: HubPlan, application id: ApplicationID, function name: String) throws(QuestionMistake) {
        application = try Self.application(id, plan)
        let functions = application.manifest.functions
        guard let function = functions.first(where: { $0.name == name }) else {
            let known = functions.map(\.name).joined(separator: ", ")
            throw QuestionMistake(
                .unknown, nil, known.isEmpty ? "\(id) answers no questions" : "\(id) has no function \(name); it has \(known)")
        }
        self.plan = plan
        self.function = function
    }

    /// What the application can be asked.
    package static func functions(of id: ApplicationID, _ plan: HubPlan) throws(QuestionMistake) -> [FunctionManifest] {
        try application(id, plan).manifest.functions
    }

    private static func application(_ id: ApplicationID, _ plan: HubPlan) throws(QuestionMistake) -> ApplicationPlan {
        if let application = plan.applications[id] { return application }
        let known = plan.applications.keys.sorted().map(\.rawValue).joined(separator: ", ")
        throw QuestionMistake(.unknown, nil, "there is no application \(id); there are \(known)")
    }

    /// True where the hub's links are needed to fill it in.
    package func needsLinks(_ arguments: Fields) -> Bool {
        function.parameters.contains { parameter in
            guard let value = arguments[parameter.name], !value.isNull else { return false }
            return switch parameter.kind {
            case .reference: value.text?.hasPrefix(Self.nativePrefix) != true
            case .document: value.object.map { Self.nativeMembers($0) == nil } ?? false
            default: false
            }
        }
    }

    /// The question, or what is wrong with it.
    ///
    /// - Parameters:
    ///   - arguments: by parameter; texts, as people type them, or JSON values of the parameter's kind. Null counts as left out.
    ///   - store: where links are looked up; nil: there is none, and only native keys can be given.
    package func question(
        _ arguments: Fields, in store: (any StoreTransaction)?
    ) throws(StoreError) -> Result<Question, QuestionMistake> {
        do {
            return .success(try filled(arguments, store))
        } catch let mistake as QuestionMistake {
            return .failure(mistake)
        } catch let error as StoreError {
            throw error
        } catch {
            return .failure(QuestionMistake(.argument, nil, "\(error)"))
        }
    }

    private func filled(_ given: Fields, _ store: (any StoreTransaction)?) throws -> Question {
        let names = function.parameters.map(\.name)
        if let name = given.names.first(where: { !names.contains($0) }) {
            throw QuestionMistake(
                .argument, name,
                "\(function.name) of \(application.id) has no such parameter; it has \(names.joined(separator: ", "))")
        }
        let company = try company(given)
        var arguments = Fields()
        for parameter in function.parameters {
            guard let value = given[parameter.name], !value.isNull else {
                guard parameter.isRequired else { continue }
                throw QuestionMistake(.argument, parameter.name, "is missing: \(parameter.help)")
            }
            if case .company = parameter.kind { continue }
            arguments[parameter.name] = try argument(value, parameter, company, store)
        }
        return Question(function: function.name, company: company.flatMap { application.companies[$0] }, arguments: arguments)
    }

    // MARK: Kinds

    private func argument(
        _ value: Value, _ parameter: FunctionParameter, _ company: CompanyID?, _ store: (any StoreTransaction)?
    ) throws -> Value {
        func wrong(_ expected: String) -> QuestionMistake {
            QuestionMistake(.argument, parameter.name, "has to be \(expected), not \(Self.excerpt(value))")
        }
        switch parameter.kind {
        case .text:
            guard let text = value.keyText, !text.isEmpty else { throw wrong("a text") }
            return .string(text)
        case .decimal:
            guard let number = value.number ?? value.text.flatMap({ Number($0) }) else { throw wrong("a number such as 12.50") }
            return .number(number)
        case .date:
            guard let text = value.text, CivilDate(text) != nil else {
                throw wrong("a day such as 2026-11-21")
            }
            return .string(text)
        case .company:
            // Given beside the arguments.
            return value
        case .reference(let entity):
            guard let text = value.keyText, !text.isEmpty else {
                throw wrong("the id of a \(entity) in the hub, or \(Self.nativePrefix)KEY with its key in \(application.id)")
            }
            return .string(try key(text, entity, parameter.name, store).rawValue)
        case .document:
            guard let members = value.object else { throw wrong("a JSON object") }
            if let native = Self.nativeMembers(members) { return .object(native) }
            return .object(try native(members, parameter.name, company, store))
        }
    }

    /// The canonical company; where none is named and the application keeps one only, that one.
    private func company(_ given: Fields) throws(QuestionMistake) -> CompanyID? {
        guard let parameter = function.parameters.first(where: { $0.kind == .company }) else { return nil }
        guard let value = given[parameter.name], !value.isNull else {
            return application.companies.count == 1 ? application.companies.keys.first : nil
        }
        let known = application.companies.keys.sorted().map(\.rawValue)
        guard let text = value.text, application.companies[CompanyID(text)] != nil else {
            throw QuestionMistake(
                .argument, parameter.name,
                known.isEmpty
                    ? "the hub knows no companies of \(application.id): leave it out, or name them in the configuration (companies)"
                    : "\(Self.excerpt(value)) is no company that \(application.id) keeps; those are \(known.joined(separator: ", "))")
        }
        return CompanyID(text)
    }

    // MARK: Words

    /// The application's own members, where a document is given so.
    static func nativeMembers(_ document: Fields) -> Fields? { document.count == 1 ? document[nativeMember]?.object : nil }

    static func excerpt(_ value: Value) -> String {
        let text = JSONText.text(value)
        return text.count > excerptLength ? text.prefix(excerptLength) + "…" : text
    }

    private static let excerptLength = 60
}
