package import HubModel

/// Who may do what to an entity: compiled from the configuration's `entities`.
package struct EntityPolicy: Sendable {
    package var name: EntityName
    /// Owner of all fields not named in `fieldOwners` that it tells; nil: the latest write wins.
    package var owner: ApplicationID?
    package var fieldOwners: [String: ApplicationID] = [:]
    /// Who tells each field, as far as that is known: an owner decides only what it tells.
    package var tellers: [String: [ApplicationID]] = [:]
    /// Fields that only their owner may ever set; elsewhere an empty field may be filled by anyone.
    package var guarded: Set<String> = []
    /// Owner of all fields once the document is in that state, first match first.
    package var ownerAfter: [(condition: Condition, owner: ApplicationID)] = []
    /// Applications whose new documents become golden records; nil: all of them.
    package var creators: Set<ApplicationID>?
    /// Applications whose deletions count; nil: the owner's, or everyone's where there is none.
    package var deleters: Set<ApplicationID>?
    /// Whether the hub may create documents in an application; absent: it may.
    package var creation: [ApplicationID: Creation] = [:]
    /// What must hold for a document to be sent to an application; absent: everything is.
    package var send: [ApplicationID: Condition] = [:]
    /// What happens to a document already sent that no longer meets `send`; absent: ``Leaving/keep``.
    package var leaving: [ApplicationID: Leaving] = [:]
    /// Fields that identify a document among applications: equal text (trimmed, case folded) means the same document.
    package var match: [String] = []
    /// Golden fields set when an application refuses the document, cleared when it takes it: `text` values `$text`, `$rule`, `$field`
    /// stand for the rejection's.
    package var onRejected: [ApplicationID: Fields] = [:]
    /// Applications' ranks for ties of time: the higher wins.
    package var ranks: [ApplicationID: Int] = [:]

    package enum Creation: String, Sendable, CaseIterable {
        case allow, approve, refuse
    }

    package enum Leaving: String, Sendable, CaseIterable {
        /// It goes on being updated.
        case keep
        /// It stays as it is and is not written any more.
        case freeze
        /// It is deleted there, as the application deletes.
        case delete
    }

    package init(_ name: EntityName, owner: ApplicationID? = nil) {
        self.name = name
        self.owner = owner
    }

    /// The owner of a field of this document; nil where the latest write wins.
    package func owner(of field: String, in fields: Fields) -> ApplicationID? {
        // A field's own owner stands above the state's: a credit limit is the ERP's in any state.
        if let own = fieldOwners[field] { return own }
        for (condition, owner) in ownerAfter where condition.holds(for: fields) { return owner }
        guard let tellers = othersThatTell(field) else { return owner }
        return tellers.count == 1 ? tellers[0] : nil
    }

    /// Who tells a field that the entity's owner does not: under its word it would stay at its first value for ever, so that it is left to
    /// the only one that tells it, or to the latest of several. nil: the owner decides, or there is none.
    private func othersThatTell(_ field: String) -> [ApplicationID]? {
        guard let owner, let tellers = tellers[field], !tellers.contains(owner), !guarded.contains(field) else { return nil }
        return tellers
    }

    /// Fields that the entity's owner leaves to others because it does not tell them, by the application that decides instead; under nil
    /// those of which the latest change wins.
    package var leftToTellers: [ApplicationID?: [String]] {
        let left = tellers.keys.filter { fieldOwners[$0] == nil && othersThatTell($0) != nil }
        return Dictionary(grouping: left.sorted()) { owner(of: $0, in: Fields()) }
    }

    /// True where that application's deletion deletes the golden record.
    package func mayDelete(_ application: ApplicationID, in fields: Fields) -> Bool {
        if let deleters { return deleters.contains(application) }
        for (condition, owner) in ownerAfter where condition.holds(for: fields) { return owner == application }
        return owner == nil || owner == application
    }

    package func mayCreate(_ application: ApplicationID) -> Bool {
        creators?.contains(application) ?? true
    }

    /// True where the document is meant for that application.
    package func sends(_ fields: Fields, to application: ApplicationID) -> Bool {
        send[application]?.holds(for: fields) ?? true
    }
}
