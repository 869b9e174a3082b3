import Testing

@Suite("multipoint discover")
struct DiscoverTests {
    @Test("finds the ready-made mappings to fit, and offers what they leave out", arguments: ["crm", "erp"])
    func fits(application: String) throws {
        let program = try Program(files: Program.files)
        let result = try program.run("discover", application)
        #expect(result.code == 0, "\(result.output)\(result.errors)")
        #expect(result.output.contains("the application is as its mappings expect"))
        guard application == "erp" else { return }
        #expect(result.output.contains("fields of article that no mapping uses, for a new file mappings/erp/product.yaml:"))
        #expect(
            result.output.contains("\nextends: builtin\nfields:\n  stock: { path: stock, as: decimal, scale: 3 }\n"), "\(result.output)")
    }

    @Test("names a mapped field that is not there, with file and line, and so does check --live")
    func missing() throws {
        let own = "extends: builtin\nfields:\n  colour: colour\n"
        let program = try Program(files: Program.files.merging(["mappings/erp/product.yaml": own]) { $1 })
        let result = try program.run("discover", "erp", "--type", "article")
        #expect(result.code == 1)
        #expect(
            result.output.contains(
                "  field-missing: mappings/erp/product.yaml:3: article has no field colour, to which colour is mapped [deliveries wait]\n"),
            "\(result.output)\(result.errors)")
        #expect(!result.output.contains("partner"))
        let live = try program.run("check", "--live", "--timeout", "1")
        #expect(live.output.split(separator: "\n").contains { $0.hasPrefix("mapping") && $0.contains("product.yaml:3: article has no") })
        let json = try program.run("discover", "erp", "--json")
        #expect(json.code == 1 && json.output.contains("\"line\":3") && json.output.contains("\"holdsDeliveries\":true"), "\(json.output)")
    }

    @Test("a mapping to a field that its schema rules out is a mistake with file and line")
    func schema() throws {
        let own = "extends: builtin\nfields:\n  colour: { path: colour, direction: in }\n"
        let properties = ["code", "name", "price", "currency", "unit", "saleable", "stock"].map { "\"\($0)\":{}" }.joined(separator: ",")
        let closed = "{\"type\":\"object\",\"properties\":{\(properties)},\"additionalProperties\":false}"
        let files = ["mappings/erp/product.yaml": own, "schemas/erp/article.schema.json": closed]
        let program = try Program(files: Program.files.merging(files) { $1 })
        let result = try program.run("check")
        #expect(result.code == 2)
        #expect(
            result.errors.contains("mappings/erp/product.yaml:3:3: colour: article has no field colour by its schema"), "\(result.errors)")
    }

    @Test("says what it does not know")
    func unknown() throws {
        let program = try Program(files: Program.files)
        #expect(try program.run("discover", "shop").errors.contains("has no application shop; it has"))
        #expect(try program.run("discover", "erp", "--type", "articel").errors.contains("did you mean article?"))
        let reload = try program.run("reload")
        #expect(reload.code == 3 && reload.errors.contains("no hub is running"), "\(reload.errors)")
    }
}
