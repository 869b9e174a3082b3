package import HubCodec
package import HubModel

/// One way in which an application is not what its mappings, or the configuration, expect.
package struct DiscoveryFinding: Sendable, Hashable, CustomStringConvertible {
    /// A stable short name; also the code of the alarm.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// A native type is not there, or the driver's user cannot see it.
        case typeMissing = "type-missing"
        /// A mapped field is not there.
        case fieldMissing = "field-missing"
        /// A mapped field is of another kind than when it was last found.
        case fieldChanged = "field-changed"
        /// A mapped field is of a kind that the mapping cannot read.
        case fieldMisfit = "field-misfit"
        /// The mapping maps codes that the application does not have.
        case codeMissing = "code-missing"
        /// The application has codes that the mapping's table does not.
        case codeUnmapped = "code-unmapped"
        /// Creates will be refused without a field that the mapping does not write.
        case fieldRequired = "field-required"
        /// The driver's user may not do what the configuration asks.
        case rightMissing = "right-missing"
        /// The application does not answer a function of the manifest.
        case functionMissing = "function-missing"
        /// It is another application than the hub knows.
        case anotherInstance = "another-instance"
    }

    /// What is held back until it is mended.
    package enum Effect: Sendable, Hashable {
        case nothing
        /// Deliveries of the entity wait; its events tell what they still can.
        case deliveries
        /// Deliveries of the entity wait, and events that tell the field go to the dead letters.
        case deliveriesAndField
        /// Events that tell the field go to the dead letters.
        case field
    }

    package var code: Code
    package var effect: Effect
    package var entity: EntityName?
    package var native: String?
    /// The canonical field; nil where it concerns none.
    package var field: String?
    /// The native place; nil where it concerns none.
    package var path: String?
    /// Where the mapping declares it.
    package var place: Mapping.Place?
    /// What is wrong and what to do.
    package var text: String

    package init(
        _ code: Code, _ effect: Effect = .nothing, entity: EntityName? = nil, native: String? = nil, field: String? = nil,
        path: String? = nil, place: Mapping.Place? = nil, text: String
    ) {
        self.code = code
        self.effect = effect
        self.entity = entity
        self.native = native
        self.field = field
        self.path = path
        self.place = place
        self.text = text
    }

    /// Nothing is written to the entity's documents until it is mended.
    package var holdsDeliveries: Bool { effect == .deliveries || effect == .deliveriesAndField }
    /// Events that tell the field are not worked in until it is mended.
    package var refusesField: Bool { effect == .field || effect == .deliveriesAndField }

    /// `mappings/erp/customer.yaml:12: partner has no field vat; did you mean "vat_code"?`
    package var description: String { place.map { "\($0): \(text)" } ?? text }
}
