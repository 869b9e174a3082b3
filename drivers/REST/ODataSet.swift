import HTTPApplication
import HubDriver
import HubModel

/// The operations of an OData v4 entity set, which its protocol fixes: key predicates, `$filter`, `$orderby`, next links.
struct ODataSet {
    /// What keys are: bare in an address, or a text in apostrophes.
    enum Keys: String, CaseIterable {
        case guid
        case integer
        case text
    }

    private let entry: Declaration
    private let recipe: RecipeReader
    private let path: String
    private let key: Place
    private let expand: String?
    /// What the service calls it: the last step of its path.
    let name: String
    /// Properties that reads bring along.
    let expanded: Set<String>
    private static let documents = Place("value")
    private static let next = Place("@odata.nextLink")

    let read: Operation
    let create: Operation
    let update: Operation
    let delete: Operation
    let lookUp: Operation?
    let list: EntityRecipe.Listing

    init(
        _ set: Declaration, _ entry: Declaration, key: Place, reference: Place?, recipe: RecipeReader
    ) throws(DriverError) {
        if recipe.dialect != .odata { throw set.mistake("sets belong to protocol: odata") }
        self.entry = entry
        self.recipe = recipe
        self.key = key
        path = try set.text()
        let keys = try entry.member("keys").word(Keys.self)
        expand = try entry.optional("expand").map { (expand) throws(DriverError) in "$expand=\(try expand.text())" }
        name = path.split(separator: "/").last.map { String($0.prefix { $0 != "(" }) } ?? path
        expanded = Self.expanded(try entry.optional("expand")?.text() ?? "")
        let one = path + (keys == .text ? "('{key}')" : "({key})")
        let document: Set<String> = ["key"]
        let representation = [("Prefer", try recipe.template("return=representation", at: set, []))]

        read = Operation(method: "GET", path: try recipe.template(Self.path(one, [expand]), at: set, document))
        var create = Operation(method: "POST", path: try recipe.template(path, at: set, []))
        // What a write answers is not expanded: the document is read then.
        create.tells = expand == nil ? .document : .key
        create.headers = representation
        self.create = create
        var update = Operation(method: "PATCH", path: try recipe.template(one, at: set, document))
        update.tells = expand == nil ? .document : .nothing
        update.headers = expand == nil ? representation : []
        self.update = update
        delete = Operation(method: "DELETE", path: try recipe.template(one, at: set, document))
        if let reference {
            let filter = "$filter=\(reference.text) eq '{reference}'"
            var lookUp = Operation(method: "GET", path: try recipe.template(Self.path(path, [filter, expand]), at: set, ["reference"]))
            lookUp.at = Self.documents
            self.lookUp = lookUp
        } else {
            lookUp = nil
        }
        list = try Self.listing(Self.path(path, ["$orderby=\(key.text)", expand]), set, recipe)
    }

    /// Documents changed since a moment, oldest first.
    func changes(_ place: Place, _ changes: Declaration) throws(DriverError) -> EntityRecipe.Listing {
        let options = ["$orderby=\(place.text)", expand].compactMap { $0 }.joined(separator: "&")
        return try Self.listing("\(path)?[$filter=\(place.text) ge {since}&]\(options)", changes, recipe)
    }

    /// The properties of `lines($expand=item,unit),customer`.
    private static func expanded(_ text: String) -> Set<String> {
        var names: Set<String> = []
        var (name, depth) = ("", 0)
        for character in text + "," {
            switch character {
            case "(": depth += 1
            case ")": depth -= 1
            case "," where depth == 0:
                names.insert(name)
                name = ""
            default: if depth == 0, character != " " { name.append(character) }
            }
        }
        return names.subtracting([""])
    }

    private static func listing(_ path: String, _ entry: Declaration, _ recipe: RecipeReader) throws(DriverError) -> EntityRecipe.Listing {
        let size = try recipe.template("odata.maxpagesize={limit}", at: entry, RecipeReader.listVariables)
        return .init(
            path: try recipe.template(path, at: entry, RecipeReader.listVariables), at: documents, paging: .link(next),
            most: EntityReader.usualPage, headers: [("Prefer", size)])
    }

    private static func path(_ path: String, _ options: [String?]) -> String {
        let options = options.compactMap { $0 }
        return options.isEmpty ? path : "\(path)?\(options.joined(separator: "&"))"
    }
}
