public import HubModel

/// How to make and change documents of one native type.
///
/// A *mark* is a short text of letters and digits that is given once and never again, also not by other runs on the same application: it
/// goes into codes and names, so that documents differ. Values should be in the form in which the application tells them back.
public struct Sample: Sendable {
    /// The application's name of the type, as in the manifest.
    public var native: String
    /// The application's own name of the company in which documents are made; nil where the type is shared.
    public var company: String?
    /// The members of a new document, references to other documents included (made here where they are needed).
    public var create: @Sendable (_ mark: String) async throws -> Fields
    /// Members that an update sets; with another mark, other values.
    public var change: @Sendable (_ mark: String) -> Fields
    /// Members whose values are tried in earnest: texts, decimals, dates.
    public var probes: [FieldProbe] = []
    /// One for each rule of the type's manifest. The first that breaks a create is also put among good deliveries of one call.
    public var breaches: [Breach] = []
    /// A person changes the document in the application, outside the driver and its proxy, in members that ``change`` does not name.
    /// Gives the members and values that stand afterwards. Nil: the bench cannot, which the report says.
    public var edit: (@Sendable (_ key: NativeKey, _ mark: String) async throws -> Fields)?
    /// A person makes a document, outside the driver; needed for types that take changes but no creates.
    public var make: (@Sendable (_ mark: String) async throws -> NativeKey)?
    /// A person deletes a document, outside the driver. Nil: where one is to go, the driver deletes it.
    public var remove: (@Sendable (_ key: NativeKey) async throws -> Void)?
    /// Runs its second argument while the application refuses writes of that document for the moment (a lock is held, a quota is spent).
    /// Nil: the bench cannot, which the report says.
    public var whileBusy: (@Sendable (_ key: NativeKey, _ body: @Sendable () async throws -> Void) async throws -> Void)?
    /// Native places that the type's mapping uses, positions in lists left out (`lines.quantity`): a discovery has to find them.
    public var mapped: [String] = []
    /// True where a member reads back as it was sent; the standard is ``isContained(_:_:)``.
    public var isSame: @Sendable (_ name: String, _ sent: Value, _ told: Value) -> Bool = { _, sent, told in isContained(sent, told) }

    public init(
        _ native: String, company: String? = nil, create: @escaping @Sendable (_ mark: String) async throws -> Fields,
        change: @escaping @Sendable (_ mark: String) -> Fields
    ) {
        self.native = native
        self.company = company
        self.create = create
        self.change = change
    }

    /// This with more members to try.
    public func with(_ probes: [FieldProbe]) -> Sample { altered { $0.probes += probes } }

    /// This with more rules to break.
    public func with(_ breaches: [Breach]) -> Sample { altered { $0.breaches += breaches } }

    /// This with anything else set: `.altered { $0.edit = … }`.
    public func altered(_ alter: (inout Sample) -> Void) -> Sample {
        var copy = self
        alter(&copy)
        return copy
    }

    /// True where `told` holds all that was sent: of objects every member sent, of arrays every element in its place; null may be absent.
    public static func isContained(_ sent: Value, _ told: Value) -> Bool {
        switch (sent, told) {
        case (.object(let sent), .object(let told)):
            sent.allSatisfy { isContained($0.value, told[$0.name] ?? .null) }
        case (.array(let sent), .array(let told)):
            sent.count == told.count && zip(sent, told).allSatisfy { isContained($0, $1) }
        default: sent == told
        }
    }
}
