import HubModel
import HubScenario
import ReferenceApplication
import ReferenceCRM
import ReferenceERP

/// A mistake made on purpose when everything is at rest: the checks have to find it.
enum ChaosPlant: String, CaseIterable {
    /// An edit whose event never reaches the feed.
    case lostRecord = "lost-record"
    /// A second order with the reference of the first.
    case doubledOrder = "doubled-order"
    /// A person's edit that is taken back behind everybody's back.
    case revertedEdit = "reverted-edit"

    /// Makes what the mistake needs, where it is not there yet; true where that has to come to rest first.
    func prepare(_ scenario: Scenario) async throws -> Bool {
        guard self == .doubledOrder, try orders(scenario).isEmpty else { return false }
        let accounts = try scenario.crm.file.documents(native: "account").filter { account in
            account.fields["on_hold"] != true && (account.fields["credit_limit"]?.units(scale: 2) ?? 0) > 100_000_000
        }
        let items = try scenario.crm.file.documents(native: "item").filter { $0.fields["saleable"] == true }
        guard let account = accounts.first, let item = items.first else { throw CommandFailure(.notWell, "there is nothing to order") }
        let deal = try await scenario.crm.createDeal([
            "account": .string(account.key.rawValue),
            "lines": [["id": "1", "item": .string(item.key.rawValue), "quantity": .decimal(1000, scale: 3), "unit_price": .null]],
        ])
        try await scenario.crm.accept(deal)
        return true
    }

    private func orders(_ scenario: Scenario) throws -> [NativeDocument] {
        try scenario.erp.file.documents(native: "sales_order").filter { $0.reference != nil }
    }

    func plant(_ scenario: Scenario, folder: String) async throws {
        switch self {
        case .lostRecord:
            let key = try first(scenario.crm.file, "account")
            try await scenario.crm.editAccount(key, ["phone": "+33 4 00 00 00 01"])
            try await scenario.crm.file.loseEvent(of: key)
        case .doubledOrder:
            guard let order = try orders(scenario).min(by: { $0.key.rawValue < $1.key.rawValue }) else {
                throw CommandFailure(.notWell, "there is no order to double")
            }
            _ = try await scenario.erp.file.double("sales_order", order.key)
        case .revertedEdit:
            let key = try first(scenario.crm.file, "account")
            var diary = ChaosDiary(folder: folder, seed: 0)
            try await diary.edit(scenario, Scenario.crmID, key)
            try await scenario.crm.file.revertEdit("account", key)
        }
    }

    private func first(_ file: ApplicationFile, _ native: String) throws -> NativeKey {
        guard let document = try file.documents(native: native).min(by: { $0.key.rawValue < $1.key.rawValue }) else {
            throw CommandFailure(.notWell, "there is no \(native) to plant a mistake in")
        }
        return document.key
    }
}
