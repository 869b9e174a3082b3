import HTTPApplication
import HubDriver
import HubModel

/// Reads one type of a recipe. With `set`, the type is an entity set of OData, and its operations are the protocol's own.
struct EntityReader {
    let recipe: RecipeReader
    let errorNames: [String]
    let hasBatch: Bool
    /// For every type that does not say otherwise.
    let texts: [String: TextRule]
    let hasDiscovery: Bool

    private static let members = [
        "native", "entity", "set", "keys", "key", "token", "reference", "archived", "perCompany", "operations", "read", "create", "update",
        "delete", "lookUp", "list", "changes", "lines", "readOnly", "members", "rules", "transitions", "expand", "texts",
        "schema",
    ]

    func entity(_ entry: Declaration) throws(DriverError) -> EntityRecipe {
        try entry.check(only: Self.members)
        let native = try entry.member("native").text()
        let reference = try entry.optional("reference").map(recipe.place)
        let key = try recipe.place(try entry.member("key"))
        let set = try entry.optional("set").map { (set) throws(DriverError) in
            try ODataSet(set, entry, key: key, reference: reference, recipe: recipe)
        }
        if set == nil, let expand = try entry.optional("expand") { throw expand.mistake("it belongs to an OData set") }
        var entity = EntityRecipe(
            native: native, entity: EntityName(try entry.member("entity").text()), key: key, token: try token(entry, isOData: set != nil),
            reference: reference, archived: try archived(entry), isPerCompany: try entry.optional("perCompany")?.bool() ?? false,
            readOnly: Set(try entry.optional("readOnly")?.texts() ?? []),
            texts: texts.merging(try TextRule.rules(try entry.optional("texts"))) { $1 },
            schema: try entry.optional("schema")?.text() ?? set?.name ?? native, expanded: set?.expanded ?? [],
            members: try entry.optional("members").map { (list) throws(DriverError) in Set(try list.texts()) },
            rules: try rules(entry), transitions: try transitions(entry))
        try operations(entry, &entity, set)
        entity.lines = try lines(entry, set)
        try check(entry, entity)
        return entity
    }

    // MARK: Places

    private func token(_ entry: Declaration, isOData: Bool) throws(DriverError) -> EntityRecipe.TokenPlace? {
        guard let token = try entry.optional("token") else { return isOData ? .member(Place("@odata.etag"), sent: .ifMatch) : nil }
        guard token.isMap else {
            if token.value == .string("none") { return nil }
            return .member(try recipe.place(token), sent: .ifMatch)
        }
        try token.check(only: ["member", "header", "sent"])
        if let header = try token.optional("header") {
            if try token.optional("member") != nil { throw token.mistake("it stands in a member or in a header, not in both") }
            return .header(try header.text())
        }
        let sent = try token.optional("sent")?.word(EntityRecipe.Sent.self) ?? .ifMatch
        return .member(try recipe.place(try token.member("member")), sent: sent)
    }

    private func archived(_ entry: Declaration) throws(DriverError) -> EntityRecipe.Archived? {
        guard let archived = try entry.optional("archived") else { return nil }
        try archived.check(only: ["member", "is"])
        return .init(place: try recipe.place(try archived.member("member")), values: try archived.member("is").elements.map(\.value))
    }

    private func rules(_ entry: Declaration) throws(DriverError) -> [String] {
        guard let rules = try entry.optional("rules") else { return errorNames }
        let own = ["unknown-field", "read-only", "not-found", TextRule.characterRule, TextRule.lengthRule, ErrorRecipe.otherRule]
        for rule in rules.elements where !(errorNames + own).contains(try rule.text()) {
            throw rule.mistake(
                "errors.rules has no rule \(try rule.text()); there are \((errorNames + own).sorted().joined(separator: ", "))")
        }
        return try rules.texts()
    }

    private func transitions(_ entry: Declaration) throws(DriverError) -> [String: [String]] {
        var transitions: [String: [String]] = [:]
        for (state, next) in try entry.optional("transitions")?.members() ?? [] {
            transitions[state] = next.value.isNull ? [] : try next.texts()
        }
        return transitions
    }

    // MARK: Operations

    private func operations(_ entry: Declaration, _ entity: inout EntityRecipe, _ set: ODataSet?) throws(DriverError) {
        let wanted = try entry.optional("operations")
        var allowed: Set<Delivery.Operation> = []
        for element in wanted?.elements ?? [] { allowed.insert(try element.word(Delivery.Operation.self)) }
        func isWanted(_ operation: Delivery.Operation) -> Bool { wanted == nil || allowed.contains(operation) }
        let document: Set<String> = ["key", "reference"]
        entity.read = try operation(entry, "read", "GET", document) ?? set?.read
        entity.lookUp = try operation(entry, "lookUp", "GET", ["reference"]) ?? set?.lookUp
        if isWanted(.create) { entity.create = try operation(entry, "create", "POST", ["reference"]) ?? set?.create }
        if isWanted(.update) { entity.update = try operation(entry, "update", "PATCH", document) ?? set?.update }
        if isWanted(.delete) { entity.delete = try operation(entry, "delete", "DELETE", document) ?? set?.delete }
        entity.list = try listing(entry, "list") ?? set?.list
        entity.changes = try changes(entry, entity, set)
        if let wanted {
            for name in ["create", "update", "delete"]
            where try entry.optional(name) != nil && !allowed.contains(where: { $0.rawValue == name }) {
                throw wanted.mistake("\(name) is declared below and not among them")
            }
        }
    }

    func operation(
        _ entry: Declaration, _ name: String, _ method: String, _ variables: Set<String>
    ) throws(DriverError) -> Operation? {
        guard let entry = try entry.optional(name) else { return nil }
        try entry.check(
            only: [
                "method", "path", "at", "wrap", "with", "tells", "body", "headers", "repeatable", "once", "idempotencyHeader",
                "searchFirst",
            ])
        let method = try entry.optional("method")?.text() ?? method
        var operation = Operation(method: method, path: try recipe.template(try entry.member("path"), variables))
        operation.at = try entry.optional("at").map(recipe.place)
        operation.wrap = try entry.optional("wrap")?.text()
        operation.constants = try recipe.fields(try entry.optional("with"))
        operation.tells = try entry.optional("tells")?.word(Operation.Tells.self) ?? .nothing
        operation.body = try entry.optional("body")?.word(Operation.Body.self) ?? (method == "PUT" && name == "update" ? .whole : .changed)
        for (name, value) in try entry.optional("headers")?.members() ?? [] {
            operation.headers.append((name, try recipe.template(value, variables.union(["token"]))))
        }
        operation.isOnce = try entry.optional("once")?.bool() ?? false
        operation.isRepeatable = try entry.optional("repeatable")?.bool() ?? operation.isOnce
        operation.idempotencyHeader = try entry.optional("idempotencyHeader")?.text()
        if operation.idempotencyHeader != nil { operation.isRepeatable = true }
        operation.searchesFirst = try entry.optional("searchFirst")?.bool() ?? false
        for only in ["repeatable", "once", "idempotencyHeader", "searchFirst"] where name != "create" {
            if let wrong = try entry.optional(only) { throw wrong.mistake("it belongs to create") }
        }
        return operation
    }

    // MARK: Lists

    private func listing(_ entry: Declaration, _ name: String) throws(DriverError) -> EntityRecipe.Listing? {
        guard let entry = try entry.optional(name) else { return nil }
        try entry.check(only: ["path", "at", "paging", "headers"] + (name == "changes" ? Self.ofChanges : []))
        let path = try recipe.template(try entry.member("path"), RecipeReader.listVariables)
        let (paging, most) = try paging(try entry.member("paging"))
        if let variable = paging.variable, !path.variables.contains(variable) {
            throw entry.mistake("its path has no {\(variable)}, which its paging needs")
        }
        if paging.isCounted, !path.variables.contains("limit") {
            throw entry.mistake("its path has no {limit}, by which its places are counted")
        }
        var headers: [(name: String, value: Template)] = []
        for (name, value) in try entry.optional("headers")?.members() ?? [] {
            headers.append((name, try recipe.template(value, RecipeReader.listVariables)))
        }
        return .init(path: path, at: try entry.optional("at").map(recipe.place), paging: paging, most: most, headers: headers)
    }

    /// `offset`, or a map with `kind`, `first`, `next` and `most`.
    private func paging(_ entry: Declaration) throws(DriverError) -> (ListPaging, most: Int) {
        enum Kind: String, CaseIterable { case offset, page, cursor, link, linkHeader, after, none }
        let kind = try (entry.isMap ? try entry.member("kind") : entry).word(Kind.self)
        if entry.isMap { try entry.check(only: ["kind", "first", "next", "most"]) }
        let most = entry.isMap ? try entry.optional("most")?.integer(4...100_000).asInt : nil
        let first = entry.isMap ? try entry.optional("first")?.integer(0...1).asInt : nil
        func next() throws(DriverError) -> Place {
            guard entry.isMap else { throw entry.mistake("next has to say where the answer leads on") }
            return try recipe.place(try entry.member("next"))
        }
        let paging: ListPaging
        switch kind {
        case .offset: paging = .offset(first: first ?? 0)
        case .page: paging = .page(first: first ?? 1)
        case .cursor: paging = .cursor(try next())
        case .link: paging = .link(try next())
        case .linkHeader: paging = .linkHeader
        case .after: paging = .after
        case .none: paging = .none
        }
        return (paging, most ?? Self.usualPage)
    }

    /// Where a recipe does not say how large pages may be.
    static let usualPage = 100

    private static let ofChanges = ["member", "form", "overlap"]

    private func changes(_ entry: Declaration, _ entity: EntityRecipe, _ set: ODataSet?) throws(DriverError) -> EntityRecipe.Changes? {
        guard let changes = try entry.optional("changes") else { return nil }
        let form = try changes.optional("form")?.word(ChangeForm.self) ?? .rfc3339
        let place = try recipe.place(try changes.member("member"))
        var overlap = try changes.optional("overlap")?.integer(0...1_000_000_000)
        if form == .number {
            overlap = overlap ?? 0
        } else if overlap != nil {
            throw try changes.member("overlap").mistake("it counts numbers; with moments say capture: overlapSeconds")
        }
        if let set, try changes.optional("path") == nil {
            return .init(listing: try set.changes(place, changes), place: place, form: form, overlap: overlap)
        }
        guard let listing = try listing(entry, "changes") else { return nil }
        guard listing.path.variables.contains("since") else { throw changes.mistake("its path has no {since}") }
        return .init(listing: listing, place: place, form: form, overlap: overlap)
    }

    private func lines(_ entry: Declaration, _ set: ODataSet?) throws(DriverError) -> EntityRecipe.Lines? {
        guard let lines = try entry.optional("lines") else { return nil }
        try lines.check(only: ["member", "key", "token", "create", "update", "delete"])
        let variables: Set<String> = ["key", "line"]
        guard let create = try operation(lines, "create", "POST", variables),
            let update = try operation(lines, "update", "PATCH", variables),
            let delete = try operation(lines, "delete", "DELETE", variables)
        else { throw lines.mistake("create, update and delete have to say how lines are written") }
        if !hasBatch { throw lines.mistake("without batch a document with half of its lines could stand") }
        return .init(
            member: try lines.member("member").text(), key: try recipe.place(try lines.member("key")),
            token: try lines.optional("token").map(recipe.place) ?? (set == nil ? nil : Place("@odata.etag")), create: create,
            update: update,
            delete: delete)
    }

    // MARK: Contradictions

    private func check(_ entry: Declaration, _ entity: EntityRecipe) throws(DriverError) {
        func refuse(_ text: String, _ member: String) throws(DriverError) {
            throw (try entry.optional(member) ?? entry).mistake(text)
        }
        if entity.create != nil, entity.lookUp == nil {
            try refuse("documents are created, and lookUp does not say how one is found whose answer was lost", "create")
        }
        if entity.create != nil, entity.reference == nil, entity.create?.path.variables.contains("reference") == false {
            try refuse("documents are created, and reference does not say where the hub's reference stands", "create")
        }
        if entity.update != nil || entity.delete != nil, entity.read == nil {
            try refuse("documents are changed, and read does not say how one is read", entity.update != nil ? "update" : "delete")
        }
        if entity.isTokenInHeader, entity.read == nil { try refuse("the token stands in a header, and there is no read", "token") }
        if entity.create?.tells == .key, entity.read == nil { try refuse("only the key is told, and there is no read", "create") }
        if entity.delete?.constants.isEmpty == false, entity.archived == nil {
            try refuse("a delete that writes members archives: archived has to say what marks such a document", "delete")
        }
        if !hasDiscovery, try entry.optional("schema") != nil { try refuse("there is no discovery that would name it", "schema") }
        if entity.changes != nil, entity.list == nil { try refuse("deletions are found by the list, and there is none", "changes") }
        for (state, targets) in entity.transitions.sorted(by: { $0.key < $1.key }) {
            for target in targets where entity.transitions[target] == nil {
                try refuse("\(state) may go to \(target), which is no state of its own", "transitions")
            }
        }
        for path in [entity.read, entity.create, entity.update, entity.delete, entity.lookUp].compactMap({ $0?.path })
        where path.variables.contains("company") && !entity.isPerCompany {
            try refuse("a path has {company}, and perCompany is not true", "perCompany")
        }
    }
}

extension Operation {
    init(method: String, path: Template) {
        self.init(
            method: method, path: path, at: nil, wrap: nil, constants: Fields(), tells: .nothing, body: .changed, headers: [],
            isRepeatable: false, isOnce: false, idempotencyHeader: nil, searchesFirst: false)
    }
}
