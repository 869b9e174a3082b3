import Foundation
import HubDriver
import HubModel
import Testing

@testable import REST
@testable import StandIns

@Suite("REST: what an application holds")
struct DiscoveryTests {
    private func discovered(_ driver: any Driver) async throws -> Discovery {
        let found = try await #require(driver as? any Discovering).discover()
        await driver.close()
        return found
    }

    private func field(_ path: String, _ type: DiscoveredType) throws -> DiscoveredField {
        try #require(type.fields.first { $0.path == path }, "\(path) is not among \(type.fields.map(\.path))")
    }

    @Test("OData's $metadata: inherited and expanded properties, lengths, codes, what is required and what is computed")
    func metadata() async throws {
        let bench = try await BusinessCentralBench()
        let found = try await discovered(try await bench.makeDriver())
        #expect(found.types.map(\.native) == ["customer", "item", "salesOrder"] && found.functions.sorted() == ["credit", "stock"])
        let customer = found.types[0]
        let name = try field("displayName", customer)
        #expect(name.kind == .text && name.nativeKind == "Edm.String(100)" && name.isRequired && !name.isReadOnly)
        #expect(try field("id", customer).isRequired == false)
        #expect(try field("creditLimit", customer).nativeKind == "Edm.Decimal(18,2)")
        #expect(try field("balanceDue", customer).isReadOnly)
        #expect(try field("lastModifiedDateTime", customer).kind == .instant)
        let order = found.types[2]
        let status = try field("status", order)
        #expect(status.kind == .code && status.codes == ["Draft", "Open"])
        #expect(try field("orderDate", order).kind == .date && field("salesOrderLines", order).kind == .list)
        #expect(try field("salesOrderLines.quantity", order).kind == .number)
        #expect(customer.rights == nil)
    }

    @Test("An OpenAPI document: references, parts, null, lists and what stands in them")
    func openAPI() async throws {
        let bench = try await PlainBench()
        let found = try await discovered(try await bench.makeDriver())
        #expect(found.types.map(\.native) == ["customer", "product", "order"] && found.functions == ["price"])
        let customer = found.types[0]
        #expect(customer.label == "Customer")
        let code = try field("code", customer)
        #expect(code.isRequired && code.nativeKind == "string(60)" && code.kind == .text)
        #expect(try field("since", customer).kind == .date)
        #expect(try field("updated_at", customer).isReadOnly)
        let order = found.types[2]
        #expect(try field("lines", order).kind == .list && field("lines.quantity", order).kind == .number)
        #expect(try field("lines.id", order).isRequired && field("total", order).isReadOnly)
    }

    @Test("A recipe without a description cannot discover, one without changes cannot capture")
    func capabilities() throws {
        func able(_ more: String, _ type: String = "") throws -> [Bool] {
            let text = """
                url: http://127.0.0.1:1
                identity: { path: /me }
                \(more)
                entities:
                  - native: item
                    entity: product
                    key: id
                    list: { path: /items, paging: none }
                    \(type)
                """
            let driver = try RecipeFile(text).made()
            return [driver is any Capturing, driver is any Discovering, driver is any Reading & LookingUp & Paging & Answering]
        }
        let changes = "changes: { path: \"/items?since={since}\", paging: none, member: at }"
        #expect(try able("") == [false, false, true])
        #expect(try able("", changes) == [true, false, true])
        #expect(try able("discovery: { path: /schema.json }") == [false, true, true])
        #expect(try able("discovery: { path: /schema.json }", changes) == [true, true, true])
        #expect(try able("protocol: odata") == [false, true, true])
        #expect(try able("protocol: odata\ndiscovery: none") == [false, false, true])
        let error = #expect(throws: DriverError.self) { _ = try able("", "schema: Item") }
        #expect(error?.message.contains("entities[0].schema") == true)
    }

    /// What a discovery throws whose description is this.
    private func mistake(_ description: String, form: String) async throws -> DriverError? {
        let server = try await StrictServer { request in
            var response = StrictServer.Response(200, ["id": "1"])
            if request.path == "/types" { response.text = description }
            return response
        }
        let text = """
            identity: { path: /me, instance: id }
            discovery: { path: /types, form: \(form) }
            entities: [{ native: item, entity: product, key: id, schema: item }]
            """
        let driver = try #require(try RecipeFile(text).made(["url": server.url]) as? any Discovering)
        let error = await failure { _ = try await driver.discover() }
        await driver.close()
        return error
    }

    @Test("A description that is none is said to be, and does no harm")
    func descriptions() async throws {
        for (text, word) in [
            ("{}", "text stands outside"), ("<a/>", "edmx"), ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
            ("", "no element"),
        ] {
            let error = try await mistake(text, form: "edmx")
            #expect(error?.code == .protocolViolation && error?.message.contains(word) == true, "\(String(describing: error))")
        }
        #expect(try await mistake("<html/>", form: "schemas")?.code == .protocolViolation)
    }
}
