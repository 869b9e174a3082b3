import Foundation
import HubDriver
import HubModel
import HubScenario
import HubTestKit

/// A Tryton in the place of the reference ERP: the line of configuration, the mappings, and how it is reached.
///
/// The hub goes through a proxy, which can break the connection; people go to Tryton itself.
struct TrytonSwap: Sendable {
    let settings: DriverSettings
    let proxy: TCPProxy
    /// What the configuration reads the password from.
    let environment: [String: String]
    private let path: String

    private static let passwordName = "MULTIPOINT_TRYTON_PASSWORD"

    /// Terms of payment by the CRM's canonical codes; Tryton knows them by name.
    static let terms: [(code: String, name: String, days: Int64)] = [
        ("30D", "30 days", 30), ("60D", "60 days", 60), ("PREPAID", "Prepaid", 0),
    ]

    /// - Parameter environment: where `MULTIPOINT_TRYTON_URL` and `MULTIPOINT_TRYTON_PASSWORD` say which Tryton.
    init(_ environment: [String: String]) throws(CommandFailure) {
        guard let address = environment["MULTIPOINT_TRYTON_URL"], let url = URL(string: address),
            let host = url.host, let port = url.port
        else {
            throw CommandFailure(
                .wrong,
                "MULTIPOINT_TRYTON_URL has to name a Tryton with its port, as `scripts/apps/tryton start FOLDER` prints it"
            )
        }
        let password = environment[Self.passwordName] ?? "admin"
        self.environment = [Self.passwordName: password]
        settings = DriverSettings(
            application: Scenario.erpID, values: ["url": address, "user": "admin", "password": password])
        path = url.path
        do { proxy = try TCPProxy(to: host, port) } catch {
            throw CommandFailure(.unreachable, "\(error)")
        }
    }

    /// What the scenario's configuration says otherwise.
    func apply(to layout: inout Scenario.Layout) {
        layout.otherERP =
            "{ driver: tryton, url: \"http://127.0.0.1:\(proxy.port)\(path)\", user: admin, password: { env: \(Self.passwordName) }, "
            + "accountCategory: Goods (accounting), pollMilliseconds: 500, settleSeconds: 5, answerSeconds: 10 }"
        let values = Self.terms.map { "\($0.code): \($0.name)" }.joined(separator: ", ")
        for (entity, native) in [("customer", "customer_payment_term"), ("order", "payment_term")] {
            layout.mappings["erp/\(entity).yaml"] =
                "extends: builtin\nfields:\n  paymentTerms: { path: \(native), values: { \(values) } }\n"
        }
    }
}
