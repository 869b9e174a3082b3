import HubDriver
import HubModel

@testable import StandIns

/// A shop with a REST interface that is strict about it: OAuth, ETags, upserts by reference. The driver `rest` speaks it by a recipe.
struct Shop: Peer {
    let name: ApplicationID = "shop"
    let own = (native: "city", canonical: "billingAddress.city", crm: "city")
    static let secret = "SHOP_SECRET"
    static let recipe = "shop/recipe.yaml"
    let service = PlainService()
    let server: StrictServer

    init() async throws { server = try await StrictServer { [service] in service.answer($0) } }

    var configuration: String {
        """
          shop:
            driver: rest
            recipe: \(Self.recipe)
            url: "\(server.url)"
            clientId: \(PlainService.client.id)
            clientSecret: { env: \(Self.secret) }
            answerMilliseconds: 5000
            settleMilliseconds: 6000
        """
    }

    func documents(_ kind: DocumentKind) -> [String: Fields] {
        let rows = service.table(kind == .customers ? "customers" : "products").rows.values
        return Dictionary(rows.map { ($0.fields["code"]?.text ?? "", $0.fields) }) { $1 }
    }

    func edit(_ code: String, _ fields: Fields) throws {
        guard let row = service.table("customers").rows.values.first(where: { $0.fields["code"]?.text == code }) else { return }
        try service.edit("customers", row.key, fields)
    }
}
