import HubDriver
import HubModel
import PostgreSQL
import Testing

/// What can be said of the driver without a server.
@Suite struct DeclarationTests {
    private func make(_ tables: String, _ more: [String: String] = [:]) throws(DriverError) -> any Driver {
        var values = ["connection": "host=nowhere.invalid", "tables": tables]
        values.merge(more) { $1 }
        return try PostgreSQLFactory.make(DriverSettings(application: "db", values: values))
    }

    @Test func aLineOfTablesMakesAManifest() async throws {
        let driver = try make(
            """
            # what the hub may write
            sales.orders: entity=order version=row_version
            customer:     table=crm.customer company=branch delete=archives:gone   # no token
            country:      delete=refuses
            """)
        let order = try #require(driver.manifest.entity(native: "sales.orders"))
        #expect(order.entity == "order" && order.hasToken && order.delete == .removes && !order.isPerCompany && order.createIsRepeatable)
        let customer = try #require(driver.manifest.entity(native: "customer"))
        #expect(customer.entity == "customer" && !customer.hasToken && customer.delete == .archives && customer.isPerCompany)
        let country = try #require(driver.manifest.entity(native: "country"))
        #expect(country.delete == .refuses && !country.operations.contains(.delete))
        #expect(driver.manifest.window.contains("customer, country without a version column"))
        await driver.close()
    }

    @Test(
        arguments: [
            ("", "needs the setting tables"), ("customer", "begin with the type's name"), ("customer: key", "name=value"),
            ("customer: colour=red", "none of table"), ("a: delete=maybe", "delete is removes"), ("a: table=.b", "no table's name"),
            ("a: adopt=perhaps", "adopt is yes or no"), ("a: feed=maybe", "slot (logical decoding)"),
            ("a: document=b", "parts of a document"), ("a: optional=perhaps", "optional is yes or no"),
            ("a: feed=slot through=b:c:d", "with document="), ("a: feed=slot key=c(d)", "with document="),
            ("a: document=b feed=slot key=c(d", "column(type)"), ("a: document=b feed=slot key=c(d';)", "column(type)"),
            ("a: document=b feed=slot key=c through=d", "table:column:column"),
            ("a: document=b feed=slot key=c through=d:e:f/g:h", "table:column:column"),
            ("a: feed=yes\nb: feed=slot", "not by both"), ("a: key=x\na: key=y", "declared twice"),
        ])
    func mistakesAreSaid(_ tables: String, _ words: String) {
        let error = #expect(throws: DriverError.self) { try make(tables) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func aTableThatIsOnlyReadTakesNoWrites() async throws {
        let driver = try make("a: write=no feed=slot\nb: write=yes feed=slot")
        #expect(driver.manifest.entity(native: "a")?.operations == [] && driver.manifest.entity(native: "a")?.delete == .refuses)
        #expect(driver.manifest.entity(native: "b")?.operations.count == Delivery.Operation.allCases.count)
        await driver.close()
    }

    @Test func limitsAreChecked() {
        #expect(throws: DriverError.self) { try make("a:", ["connections": "0"]) }
        #expect(throws: DriverError.self) { try make("a:", ["answerMilliseconds": "5000", "settleMilliseconds": "5000"]) }
        #expect(throws: DriverError.self) { try make("a:", ["batch": "many"]) }
    }

    @Test func aServerThatIsNotThereIsUnreachable() async throws {
        let driver = try make("a:", ["answerMilliseconds": "8000", "connection": "host=127.0.0.1 port=1"])
        await #expect { _ = try await driver.probe() } throws: { ($0 as? DriverError)?.code == .unreachable }
        await driver.close()
    }
}
