import HubDriver
import HubModel

/// One of Odoo's models as the driver tells and takes it.
struct NativeType: Sendable {
    var model: String
    /// The canonical type that most of its documents are.
    var entity: EntityName
    /// What belongs to the type, as one of Odoo's domains.
    var domain: [Value] = []
    var members: [NativeMember]
    var lines: Lines?
    /// What a delete of the hub's does.
    var delete = EntityManifest.DeleteMeaning.archives
    /// The hub never writes it.
    var isReadOnly = false
    var hasCompany = false

    /// Documents that people mark inactive count as deleted. Elsewhere that is one state among others: of a lead, that it is lost.
    var isArchived: Bool { delete == .archives }

    /// Documents inside a document, told and taken with it.
    struct Lines: Sendable {
        /// The document's member that holds them.
        var name: String
        var model: String
        /// The line's member that names the document.
        var parent: String
        /// Which lines count.
        var domain: [Value] = []
        var members: [NativeMember]
        /// A member that makes a line another one: where it changes, the line is removed and made anew.
        var identity: String?
        /// A new line may lack members that others have; elsewhere Odoo works such members out of others.
        var mayLack = false
    }

    /// The lines' member that holds the hub's own id of a line, so that adding one stays a single transaction.
    static let lineMark = "x_hub_line"

    /// An order's member for how far it has come.
    static let stateMember = "state"

    static let all: [NativeType] = [partner, product, pricelist, lead, order, invoice]

    static func named(_ model: String) -> NativeType? { all.first { $0.model == model } }
}

/// One member of a document.
struct NativeMember: Sendable, Hashable {
    /// How a member is told and taken.
    enum Kind: Sendable, Hashable {
        case text, decimal, integer, boolean
        /// `2026-03-01`
        case date
        /// `2026-03-01 11:00:00`, in UTC.
        case moment
        /// Another document, by its number.
        case key
        /// A line of one of Odoo's lists, by what people call it: the list's model, and the member that names a line.
        case code(String, String)
    }

    var name: String
    var kind: Kind
    var isReadOnly: Bool

    init(_ name: String, _ kind: Kind, isReadOnly: Bool = false) {
        self.name = name
        self.kind = kind
        self.isReadOnly = isReadOnly
    }
}
