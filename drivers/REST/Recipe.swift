import HTTPApplication
import HubDriver
import HubModel

/// All that is known of one system: what a recipe file declares.
struct Recipe: Sendable {
    enum Dialect: String, Sendable, CaseIterable {
        case rest
        case odata
    }

    var name: String
    var summary: String
    var dialect: Dialect
    /// The address where the recipe knows it; the setting `url` goes before.
    var url: String?
    /// What stands behind the address in every path: `/api/v2.0`.
    var base: Template?
    /// Names of further settings that paths use.
    var settings: [String]
    /// Sent with every request.
    var headers: [HTTPCall.Header]
    /// Of bodies.
    var mediaType: String
    var authentication: Authentication
    var csrf: CSRF?
    var batch: Batch?
    var limits: Manifest.Limits
    var budget: Pace.Limits
    /// What may use the reserve: operations by their name, types by theirs.
    var reserveFor: Set<String>
    /// The header that tells how many requests the day still has.
    var remaining: String?
    var answerTime: Duration
    var settleTime: Duration
    var poll: Duration
    var overlap: Duration
    /// Between comparisons of lists of keys; nil where deletions are not looked for.
    var sweep: Duration?
    var errors: ErrorRecipe
    var identity: IdentityRecipe
    /// What says which members the types have; nil where nothing does.
    var discovery: DiscoveryRecipe?
    /// Beginnings of the names of members that belong to the protocol and not to the document.
    var hidden: [String]
    var window: String
    var entities: [EntityRecipe]
    var functions: [FunctionRecipe]

    /// A token against forged requests: fetched with a read, sent with every write.
    struct CSRF: Sendable {
        var path: Template
        var header: String
    }

    /// Several requests in one (OData's JSON format).
    struct Batch: Sendable {
        var path: Template
        var headers: [HTTPCall.Header]
    }

    /// Who the application says that it is.
    struct IdentityRecipe: Sendable {
        var path: Template
        var instance: Place?
        var version: Place?
    }

    /// A document of the application's that describes its types.
    struct DiscoveryRecipe: Sendable {
        enum Form: String, Sendable, CaseIterable {
            /// OData's `$metadata` in XML.
            case edmx
            /// OpenAPI 3, Swagger 2 or JSON Schema, in JSON.
            case schemas
        }

        var path: Template
        var form: Form
    }

    func entity(_ native: String) -> EntityRecipe? { entities.first { $0.native == native } }
}

/// How the hub tells who it is.
enum Authentication: Sendable {
    case none
    case basic
    case bearer
    case header(String)
    case oauth(OAuth)

    /// OAuth 2.0 client credentials (RFC 6749, 4.4).
    struct OAuth: Sendable {
        /// An address, or a path behind the application's own.
        var token: Template
        var scope: String?
        /// The client's name and secret stand in the body; else in a header (Basic).
        var isInBody: Bool
    }

    /// The settings that it needs: name and whether it is secret.
    var settings: [String] {
        switch self {
        case .none: []
        case .basic: ["user", "password"]
        case .bearer: ["token"]
        case .header: ["key"]
        case .oauth: ["clientId", "clientSecret"]
        }
    }
}

/// One native type.
struct EntityRecipe: Sendable {
    var native: String
    var entity: EntityName
    var key: Place
    var token: TokenPlace?
    /// The member in which the hub's reference stands.
    var reference: Place?
    var archived: Archived?
    var isPerCompany: Bool
    var read: Operation?
    var create: Operation?
    var update: Operation?
    var delete: Operation?
    var lookUp: Operation?
    var list: Listing?
    var changes: Changes?
    var lines: Lines?
    /// Members that the application sets by itself.
    var readOnly: Set<String>
    /// What its texts have to be like, by member; `*` stands for all others.
    var texts: [String: TextRule]
    /// What the application's description calls the type.
    var schema: String
    /// Members that reads bring along, by OData's `expand`.
    var expanded: Set<String>
    /// All members, where the application would take unknown ones without a word; nil: it refuses them itself.
    var members: Set<String>?
    var rules: [String]
    var transitions: [String: [String]]

    enum Sent: String, Sendable, CaseIterable {
        /// In the header If-Match.
        case ifMatch
        /// In the document, where it was read.
        case body
        /// As `{token}` in a header of the operation's own.
        case header
    }

    enum TokenPlace: Sendable, Hashable {
        /// A member of the document.
        case member(Place, sent: Sent)
        /// A header of a read's answer, sent in If-Match.
        case header(String)
    }

    /// Documents with this value there count as deleted.
    struct Archived: Sendable {
        var place: Place
        var values: [Value]
    }

    /// A type's list, page by page.
    struct Listing: Sendable {
        var path: Template
        var at: Place?
        var paging: ListPaging
        /// The largest page that the application gives.
        var most: Int
        /// Their values may name the list's variables.
        var headers: [(name: String, value: Template)]
    }

    /// What changed since a moment.
    struct Changes: Sendable {
        var listing: Listing
        /// The member that tells when, or by which number.
        var place: Place
        var form: ChangeForm
        /// How far behind the last number each look begins; nil with moments, for which the recipe says one.
        var overlap: Int64?
    }

    /// Lines that are documents of their own below their document.
    struct Lines: Sendable {
        var member: String
        var key: Place
        var token: Place?
        var create: Operation
        var update: Operation
        var delete: Operation
    }

    /// The document's operations in the hub's words.
    var operations: Set<Delivery.Operation> {
        var operations: Set<Delivery.Operation> = []
        if create != nil { operations.insert(.create) }
        if update != nil { operations.insert(.update) }
        if delete != nil { operations.insert(.delete) }
        return operations
    }

    /// Lists do not tell the token: what they name is read one by one where the token matters.
    var isTokenInHeader: Bool { if case .header = token { true } else { false } }
}

/// How a system says in filters and documents when something changed.
enum ChangeForm: String, Sendable, CaseIterable {
    case rfc3339
    case seconds
    case milliseconds
    /// No moment: a whole number that rises with every change.
    case number
}

/// One request of a type.
struct Operation: Sendable {
    enum Tells: String, Sendable, CaseIterable {
        /// The document as it stands now.
        case document
        /// At least the key; the document is read.
        case key
        /// The path to the document is in the header Location.
        case location
        case nothing
    }

    enum Body: String, Sendable, CaseIterable {
        /// The members that changed.
        case changed
        /// The whole document, read before.
        case whole
    }

    var method: String
    var path: Template
    /// Where the document, or the list, stands in the answer; nil: it is the answer.
    var at: Place?
    /// The member that the body is put in.
    var wrap: String?
    /// Members that are always sent.
    var constants: Fields
    var tells: Tells
    var body: Body
    /// Their values may name the path's variables, and `{token}`; one that has no value is not sent.
    var headers: [(name: String, value: Template)]
    /// Of a create: sent twice it still makes one document.
    var isRepeatable: Bool
    /// Of a create: sends If-None-Match: *, and 412 says that the document is there already.
    var isOnce: Bool
    /// Of a create: the header that makes it repeatable, with the hub's reference as its value.
    var idempotencyHeader: String?
    /// Of a create: the reference is looked up before.
    var searchesFirst: Bool
}

/// A question that the application answers.
struct FunctionRecipe: Sendable {
    var manifest: FunctionManifest
    var method: String
    var path: Template
    /// Members of the request's body; a text that is one variable stands for its value.
    var body: Value?
    /// Member of the answer → where it stands.
    var results: [(name: String, place: Place)]
    var asOf: Place?
}
