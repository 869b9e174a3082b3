package import HubModel

/// The hub's current canonical document.
package struct GoldenRecord: Sendable, Hashable {
    package var id: CanonicalID
    package var entity: EntityName
    /// The company that the document belongs to; shared where the entity is.
    package var company: CompanyID
    package var version: Version
    /// A deleted document keeps its number and its links.
    package var isDeleted: Bool
    /// Leaf fields by dotted name (`billingAddress.city`); references hold canonical ids; a list is one field.
    package var fields: Fields
    /// Who set each field, and when.
    package var provenance: [String: Provenance]

    package init(
        id: CanonicalID, entity: EntityName, company: CompanyID = .shared, version: Version, isDeleted: Bool = false,
        fields: Fields = Fields(), provenance: [String: Provenance] = [:]
    ) {
        self.id = id
        self.entity = entity
        self.company = company
        self.version = version
        self.isDeleted = isDeleted
        self.fields = fields
        self.provenance = provenance
    }
}

/// Where a field's value came from.
package struct Provenance: Sendable, Hashable {
    /// The application's clock, clamped to the broker's.
    package var time: Instant
    package var application: ApplicationID
    /// The event's id; empty where the publisher gave none.
    package var event: String

    package init(time: Instant, application: ApplicationID, event: String = "") {
        self.time = time
        self.application = application
        self.event = event
    }
}
