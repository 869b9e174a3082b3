/// What is held back of one entity of one application because the application is not as its mapping expects.
///
/// Other entities of the application, and other applications, go on.
package struct EntityStop: Sendable, Hashable {
    /// A field that events are not to tell, as its kind has changed: taking it up would spread values of another kind.
    package struct Field: Sendable, Hashable {
        package var native: String
        /// The native place, as the mapping has it.
        package var path: [String]
        /// For the dead letter's reader.
        package var reason: String

        package init(native: String, path: [String], reason: String) {
            self.native = native
            self.path = path
            self.reason = reason
        }
    }

    /// Why, with the field and its place in the mapping: what waiting deliveries say.
    package var reason: String
    /// Nothing is written to documents of the entity.
    package var holdsDeliveries: Bool
    package var fields: [Field]

    package init(reason: String, holdsDeliveries: Bool, fields: [Field] = []) {
        self.reason = reason
        self.holdsDeliveries = holdsDeliveries
        self.fields = fields
    }
}
