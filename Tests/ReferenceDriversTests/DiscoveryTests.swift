import HubDriver
import HubModel
import ReferenceApplication
import ReferenceCRM
import ReferenceERP
import Testing

struct DiscoveryTests {
    @Test func tellsMembersCodesAndRights() async throws {
        let desk = try await ERPBench()
        let found = try await desk.driver.discover()
        #expect(found.types.map(\.native) == ["partner", "article", "sales_order", "invoice"])
        let order = try #require(found.types.first { $0.native == "sales_order" })
        #expect(order.rights == Set(DiscoveredType.Right.allCases))
        let fields = Dictionary(uniqueKeysWithValues: order.fields.map { ($0.path, $0) })
        #expect(fields["shipping_method"]?.codes == ["AIR", "PICKUP", "ROAD"])
        #expect(fields["total"]?.isReadOnly == true && fields["total"]?.nativeKind == "decimal(18,2)")
        #expect(fields["lines.article"]?.kind == .reference && fields["order_date"]?.isRequired == true)
        #expect(found.types.last?.rights == [.read], "invoices are posted there")
    }
}
