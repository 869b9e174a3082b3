import HTTPApplication
import HubDriver
import HubModel

/// Reads a recipe's text; whatever it has wrong is told with file, line and entry.
struct RecipeReader {
    let dialect: Recipe.Dialect
    let settings: [String]
    private let top: Declaration
    /// Apostrophes in values are doubled in paths, as within the texts of OData's and SData's expressions.
    private let doublesQuotes: Bool

    /// Variables that every path may have.
    static let common: Set<String> = ["company"]
    static let listVariables: Set<String> = ["limit", "offset", "page", "cursor", "after", "since"]

    private static let members = [
        "name", "summary", "protocol", "doubleQuotes", "url", "base", "settings", "headers", "mediaType", "authentication", "csrf", "batch",
        "limits", "times", "capture", "errors", "identity", "discovery", "texts", "hidden", "window", "entities", "functions",
    ]

    static func recipe(_ text: String, file: String) throws(DriverError) -> Recipe {
        let top = try Declaration(text, file: file, as: "a recipe", needs: "identity: and entities:")
        try top.check(only: members)
        return try RecipeReader(top).recipe()
    }

    private init(_ top: Declaration) throws(DriverError) {
        self.top = top
        dialect = try top.optional("protocol")?.word(Recipe.Dialect.self) ?? .rest
        settings = try top.optional("settings")?.texts() ?? []
        doublesQuotes = try top.optional("doubleQuotes")?.bool() ?? (dialect == .odata)
        let reserved = Self.common.union(Self.listVariables).union(["key", "reference"])
        if let taken = settings.first(where: { reserved.contains($0) }) {
            throw try top.member("settings").mistake("\(taken) is a variable that recipes have anyway")
        }
    }

    private func recipe() throws(DriverError) -> Recipe {
        let times = try times()
        let (limits, budget, reserveFor, remaining) = try limits()
        var recipe = Recipe(
            name: try top.optional("name")?.text() ?? "REST", summary: try top.optional("summary")?.text() ?? "", dialect: dialect,
            url: try top.optional("url")?.text(), base: try base(), settings: settings, headers: try headers(top),
            mediaType: try top.optional("mediaType")?.text() ?? "application/json", authentication: try authentication(),
            csrf: try csrf(), batch: try batch(), limits: limits, budget: budget, reserveFor: reserveFor, remaining: remaining,
            answerTime: times.answer, settleTime: times.settle, poll: times.poll, overlap: times.overlap, sweep: times.sweep,
            errors: try errors(), identity: try identity(), discovery: try discovery(),
            hidden: try top.optional("hidden")?.texts() ?? (dialect == .odata ? ["@"] : []),
            window: try top.optional("window")?.text() ?? "", entities: [], functions: [])
        let entities = EntityReader(
            recipe: self, errorNames: recipe.errors.names, hasBatch: recipe.batch != nil,
            texts: try TextRule.rules(try top.optional("texts")), hasDiscovery: recipe.discovery != nil)
        for element in try top.member("entities").elements { recipe.entities.append(try entities.entity(element)) }
        if let functions = try top.optional("functions") {
            for (name, function) in try functions.members() { recipe.functions.append(try self.function(name, function)) }
        }
        try check(recipe)
        return recipe
    }

    /// What no single entry shows.
    private func check(_ recipe: Recipe) throws(DriverError) {
        let list = try top.member("entities").elements
        for (place, entity) in recipe.entities.enumerated() where recipe.entities[..<place].contains(where: { $0.native == entity.native })
        {
            throw list[place].mistake("the type \(entity.native) is there twice")
        }
        let known = Set(recipe.entities.map(\.native) + Delivery.Operation.allCases.map(\.rawValue))
        if let unknown = recipe.reserveFor.subtracting(known).sorted().first {
            throw try top.member("limits").mistake("reserveFor names \(unknown), which is neither an operation nor a type")
        }
    }

    private func base() throws(DriverError) -> Template? {
        guard let entry = try top.optional("base") else { return nil }
        let text = try entry.text()
        guard text.hasPrefix("/"), !text.hasSuffix("/") else { throw entry.mistake("it has to begin with a slash and end without one") }
        return try template(entry, [])
    }

    private func times() throws(DriverError) -> (answer: Duration, settle: Duration, poll: Duration, overlap: Duration, sweep: Duration?) {
        let times = try top.optional("times")
        try times?.check(only: ["answerMilliseconds", "settleMilliseconds"])
        let capture = try top.optional("capture")
        try capture?.check(only: ["pollMilliseconds", "overlapSeconds", "sweepSeconds"])
        func number(_ entry: Declaration?, _ name: String, _ standard: Int64, from least: Int64 = 1) throws(DriverError) -> Int64 {
            try entry?.optional(name)?.integer(least...86_400_000) ?? standard
        }
        let sweep = try capture?.optional("sweepSeconds")?.integer(0...86_400)
        return (
            .milliseconds(try number(times, "answerMilliseconds", 15_000)), .milliseconds(try number(times, "settleMilliseconds", 60_000)),
            .milliseconds(try number(capture, "pollMilliseconds", 5000)), .seconds(try number(capture, "overlapSeconds", 60, from: 0)),
            sweep.map { .seconds($0) }
        )
    }

    private func limits() throws(DriverError) -> (Manifest.Limits, Pace.Limits, Set<String>, String?) {
        guard let entry = try top.optional("limits") else { return (Manifest.Limits(), Pace.Limits(), [], nil) }
        try entry.check(only: ["batch", "calls", "perMinute", "perDay", "reserve", "reserveFor", "remaining"])
        let perMinute = try entry.optional("perMinute")?.integer(1...1_000_000).asInt
        let perDay = try entry.optional("perDay")?.integer(1...1_000_000_000).asInt
        let reserve = try entry.optional("reserve")?.integer(0...1_000_000_000).asInt ?? 0
        let reserveFor = Set(try entry.optional("reserveFor")?.texts() ?? [])
        let remaining = try entry.optional("remaining")?.text()
        if let perDay, reserve >= perDay { throw try entry.member("reserve").mistake("it leaves nothing of the day's \(perDay) requests") }
        if perDay == nil, reserve > 0 { throw try entry.member("reserve").mistake("there is no perDay that it could be a part of") }
        if perDay == nil, remaining != nil { throw try entry.member("remaining").mistake("there is no perDay that it could tell of") }
        if reserve == 0, !reserveFor.isEmpty { throw try entry.member("reserveFor").mistake("there is no reserve") }
        if reserve > 0, reserveFor.isEmpty { throw try entry.member("reserve").mistake("reserveFor has to say what may use it") }
        let limits = Manifest.Limits(
            batch: try entry.optional("batch")?.integer(1...1000).asInt ?? 1,
            concurrentCalls: try entry.optional("calls")?.integer(1...1000).asInt ?? 4, callsPerMinute: perMinute)
        return (limits, Pace.Limits(perMinute: perMinute, perDay: perDay, reserve: reserve), reserveFor, remaining)
    }

    private func authentication() throws(DriverError) -> Authentication {
        guard let entry = try top.optional("authentication") else { return .none }
        try entry.check(only: ["kind", "header", "token", "scope", "client"])
        enum Kind: String, CaseIterable { case none, basic, bearer, header, oauth2 }
        enum Client: String, CaseIterable { case body, header }
        switch try entry.member("kind").word(Kind.self) {
        case .none: return .none
        case .basic: return .basic
        case .bearer: return .bearer
        case .header: return .header(try entry.member("header").text())
        case .oauth2:
            let token = try template(try entry.member("token"), [])
            return .oauth(
                .init(
                    token: token, scope: try entry.optional("scope")?.text(),
                    isInBody: try entry.optional("client")?.word(Client.self) != .header))
        }
    }

    private func csrf() throws(DriverError) -> Recipe.CSRF? {
        guard let entry = try top.optional("csrf") else { return nil }
        try entry.check(only: ["path", "header"])
        return .init(path: try template(try entry.member("path"), []), header: try entry.optional("header")?.text() ?? "X-CSRF-Token")
    }

    private func batch() throws(DriverError) -> Recipe.Batch? {
        guard let entry = try top.optional("batch") else { return nil }
        if dialect != .odata { throw entry.mistake("only protocol: odata has one") }
        try entry.check(only: ["path", "headers"])
        return .init(path: try template(try entry.member("path"), []), headers: try headers(entry))
    }

    private func identity() throws(DriverError) -> Recipe.IdentityRecipe {
        let entry = try top.member("identity")
        try entry.check(only: ["path", "instance", "version"])
        return .init(
            path: try template(try entry.member("path"), []), instance: try entry.optional("instance").map(place),
            version: try entry.optional("version").map(place))
    }

    /// Where the application describes its types. OData has a place for that.
    private func discovery() throws(DriverError) -> Recipe.DiscoveryRecipe? {
        let isOData = dialect == .odata
        guard let entry = try top.optional("discovery") else {
            return isOData ? .init(path: try template("/$metadata", at: top, []), form: .edmx) : nil
        }
        if entry.value == .string("none") { return nil }
        try entry.check(only: ["path", "form"])
        return .init(
            path: try template(try entry.member("path"), []),
            form: try entry.optional("form")?.word(Recipe.DiscoveryRecipe.Form.self) ?? (isOData ? .edmx : .schemas))
    }

    private func errors() throws(DriverError) -> ErrorRecipe {
        let isOData = dialect == .odata
        var errors = ErrorRecipe(
            code: isOData ? Place("error.code") : nil, text: isOData ? Place("error.message") : nil,
            field: isOData ? Place("error.target") : nil, rules: [], statuses: [:])
        guard let entry = try top.optional("errors") else { return errors }
        try entry.check(only: ["code", "text", "field", "rules", "statuses"])
        if let code = try entry.optional("code") { errors.code = try place(code) }
        if let text = try entry.optional("text") { errors.text = try place(text) }
        if let field = try entry.optional("field") { errors.field = try place(field) }
        for rule in try entry.optional("rules")?.elements ?? [] {
            try rule.check(only: ["rule", "status", "code", "contains", "means"])
            let means = try rule.optional("means")?.word(ErrorRecipe.Meaning.self) ?? .rejected
            let name = try rule.optional("rule")?.text() ?? ""
            if means == .rejected, name.isEmpty { throw rule.mistake("rule is missing: the name that a rejection has") }
            let found = ErrorRecipe.Rule(
                status: try rule.optional("status")?.integer(300...599).asInt, code: try rule.optional("code")?.text(),
                contains: try rule.optional("contains")?.text(), name: name, means: means)
            if found.status == nil, found.code == nil, found.contains == nil {
                throw rule.mistake("it fits everything: name a status, a code or what the message contains")
            }
            errors.rules.append(found)
        }
        for (name, list) in try entry.optional("statuses")?.members() ?? [] {
            guard let meaning = ErrorRecipe.Meaning(rawValue: name) else {
                throw list.mistake("there is no \(name); there are \(ErrorRecipe.Meaning.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            for status in list.elements { errors.statuses[try status.integer(300...599).asInt] = meaning }
        }
        return errors
    }
}

extension RecipeReader {
    // MARK: Parts

    /// A path with the variables that it may have besides the recipe's settings.
    func template(_ entry: Declaration, _ variables: Set<String>) throws(DriverError) -> Template {
        try template(try entry.text(), at: entry, variables)
    }

    func template(_ text: String, at entry: Declaration, _ variables: Set<String>) throws(DriverError) -> Template {
        let template: Template
        do throws(Template.Mistake) { template = try Template(text, doublesQuotes: doublesQuotes) } catch {
            throw entry.mistake("\(error.text), in \(text)")
        }
        let known = variables.union(settings).union(Self.common)
        if let unknown = template.variables.subtracting(known).sorted().first {
            throw entry.mistake("{\(unknown)} is nothing that is known here; there are \(known.sorted().joined(separator: ", "))")
        }
        return template
    }

    func place(_ entry: Declaration) throws(DriverError) -> Place { Place(try entry.text()) }

    func headers(_ entry: Declaration) throws(DriverError) -> [HTTPCall.Header] {
        var headers: [HTTPCall.Header] = []
        for (name, value) in try entry.optional("headers")?.members() ?? [] { headers.append(HTTPCall.Header(name, try value.text())) }
        return headers
    }

    /// An object's members, any values.
    func fields(_ entry: Declaration?) throws(DriverError) -> Fields {
        guard let entry else { return Fields() }
        guard case .object(let fields) = entry.value else { throw entry.mistake("it has to be a map") }
        return fields
    }
}

extension Int64 {
    /// For numbers that have been checked to be small.
    var asInt: Int { Int(clamping: self) }
}
