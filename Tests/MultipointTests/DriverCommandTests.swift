import Testing

@Suite("multipoint driver")
struct DriverCommandTests {
    @Test("describe prints a driver's manifest, for people and as JSON")
    func ofDriver() throws {
        let program = try Program()
        let result = try program.run("driver", "describe", "reference-erp", "--set", "file=erp.db", "--set", "settleMilliseconds=250")
        #expect(result.code == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.first == "reference-erp 1.0: A small ERP on a SQLite file, for demonstrations and tests")
        #expect(lines.contains("answers within 2000 ms, settles within 250 ms"))
        #expect(lines.contains("sales_order (order)") && lines.contains("  state        shipped to invoiced"))
        #expect(lines.contains { $0.hasPrefix("  rules        missing-field, invalid-field, duplicate-code, unknown-payment-terms") })
        let json = try program.run("driver", "describe", "reference-crm", "--set", "file=crm.db", "--json")
        #expect(json.code == 0 && json.output.hasPrefix("{\"answerMilliseconds\":2000,\"capabilities\":[\"look up\",\"read\","))
        #expect(json.output.contains("\"native\":\"deal\""))
    }

    @Test("describe prints an application's manifest within the limits configured")
    func ofApplication() throws {
        let program = try Program(files: Program.files)
        let result = try program.run("driver", "describe", "--config", "hub.yaml", "erp")
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.hasPrefix("reference-erp 1.0"))
        #expect(try program.run("driver", "describe", "--config", "hub.yaml", "erq").errors.contains("has no application erq; it has"))
    }

    @Test("describe says what it needs")
    func mistakes() throws {
        let program = try Program()
        let missing = try program.run("driver", "describe", "reference-erp")
        #expect(missing.code == 2 && missing.errors.contains("file (required): the application's SQLite file"), "\(missing.errors)")
        let unknown = try program.run("driver", "describe", "reference-erq")
        #expect(
            unknown.code == 2
                && unknown.errors.contains("there is no driver reference-erq; there are "))
        let setting = try program.run("driver", "describe", "reference-erp", "--set", "fill=x")
        #expect(setting.code == 2 && setting.errors.contains("fill=x is not a setting of reference-erp"))
    }
}
