package import HubModel
package import ReferenceApplication

/// The CRM as salespeople and programs beside the hub use it: the same file, rules and feed as the driver's.
///
/// Every step is one transaction; it throws ``ReferenceApplication/Refused`` where a rule forbids it.
package struct CRMApplication: Sendable {
    package let file: ApplicationFile
    /// Who uses it; a person with a territory may only edit what lies in it.
    package let user: Actor

    /// Opens the CRM's file, and makes it where it is not there yet.
    package init(path: String, user: Actor = .staff, now: (@Sendable () -> Instant)? = nil) throws {
        self.init(file: try ApplicationFile(path: path, rules: CRMRules(), now: now), user: user)
    }

    package init(file: ApplicationFile, user: Actor = .staff) {
        self.file = file
        self.user = user
    }

    /// The same CRM, used by somebody else.
    package func asUser(_ user: Actor) -> CRMApplication { CRMApplication(file: file, user: user) }

    package func createAccount(_ fields: Fields) async throws -> NativeKey { try await create("account", fields) }
    package func createItem(_ fields: Fields) async throws -> NativeKey { try await create("item", fields) }
    package func createDeal(_ fields: Fields) async throws -> NativeKey { try await create("deal", fields) }
    package func editAccount(_ key: NativeKey, _ changes: Fields) async throws { try await edit("account", key, changes) }
    package func editDeal(_ key: NativeKey, _ changes: Fields) async throws { try await edit("deal", key, changes) }
    package func deleteAccount(_ key: NativeKey) async throws { try await delete("account", key) }
    package func quote(_ deal: NativeKey) async throws { try await editDeal(deal, ["stage": "quote"]) }
    /// The customer has said yes: from here on the deal is an order.
    package func accept(_ deal: NativeKey) async throws { try await editDeal(deal, ["stage": "accepted"]) }

    package func create(_ native: String, _ fields: Fields) async throws -> NativeKey {
        try await file.perform { [user] in try $0.create(native, fields, by: user).key }
    }

    /// Null members clear.
    package func edit(_ native: String, _ key: NativeKey, _ changes: Fields) async throws {
        try await file.perform { [user] work in _ = try work.update(try work.existing(native, key), changes, by: user) }
    }

    package func delete(_ native: String, _ key: NativeKey) async throws {
        try await file.perform { [user] work in _ = try work.remove(try work.existing(native, key), by: user) }
    }
}
