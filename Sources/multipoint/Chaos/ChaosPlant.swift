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

    func plant(_ scenario: Scenario, folder: String) async throws {
        switch self {
        case .lostRecord:
            let key = try first(scenario.crm.file, "account")
            try await scenario.crm.editAccount(key, ["phone": "+33 4 00 00 00 01"])
            try await scenario.crm.file.loseEvent(of: key)
        case .doubledOrder:
            let orders = try scenario.erp.file.documents(native: "sales_order").filter { $0.reference != nil }
            guard let order = orders.min(by: { $0.key.rawValue < $1.key.rawValue }) else { throw CommandFailure(.notWell, "there is no order to double") }
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
