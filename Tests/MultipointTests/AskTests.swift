import HubModel
import ReferenceApplication
import ReferenceERP
import Testing

@Suite("multipoint ask")
struct AskTests {
    private static func program() async throws -> (program: Program, article: NativeKey) {
        let program = try Program(files: Program.files)
        let erp = try ERPApplication(path: program.folder + "/data/erp.db")
        let article = try await erp.createArticle(
            ["code": "wid-1", "name": "Widget", "price": .number(Number(2550, scale: 2)), "currency": "EUR", "stock": 5])
        return (program, article)
    }

    @Test("lists what an application can be asked")
    func functions() async throws {
        let (program, _) = try await Self.program()
        let erp = try program.run("ask", "erp")
        #expect(erp.code == 0)
        #expect(erp.output.contains("product=") && erp.output.contains("product, needed") && erp.output.contains("→ promiseDate"))
        #expect(try program.run("ask", "crm").output == "crm answers no questions\n")
        #expect(try program.run("ask", "erp", "--json").output.hasPrefix("{\"function\":\"price\""))
        #expect(try program.run("ask", "nobody").code == 2)
    }

    @Test("answers with 0, for people and for programs")
    func answers() async throws {
        let (program, article) = try await Self.program()
        let people = try program.run("ask", "erp", "price", "product=native:\(article)", "quantity=2")
        #expect(people.code == 0, "\(people.errors)")
        #expect(people.output.contains("amount") && people.output.contains("51.00") && people.output.contains("as of 20"))
        let programs = try program.run("ask", "erp", "stock", "product=native:\(article)", "--json")
        #expect(programs.output.contains("\"says\":{\"free\":5.000,\"onHand\":5.000,"), "\(programs.output)")
        let order = try program.run("ask", "erp", "validate", "order=-", "--json", input: "{\"native\":{\"lines\":[]}}")
        #expect(order.code == 0 && order.output.contains("\"missing-field\""), "\(order.output)\(order.errors)")
    }

    @Test("ends with 2 where the question is wrong, with 1 where nobody can say")
    func endings() async throws {
        let (program, article) = try await Self.program()
        let product = "product=native:\(article)"
        for (arguments, words) in [
            (["price", product, "colour=red"], "colour: price of erp has no such parameter"), (["price"], "product: is missing"),
            (["price", product, "quantity=x"], "quantity: has to be a number"), (["price", product, product], "product: is given twice"),
            (["price", "product=native:999"], "erp refuses the question: unknown-product"),
            (["price", "product=17"], "the hub has no store yet"),
            (["validate", "order=nothing.json"], "the file nothing.json cannot be read"),
            (["price", product, "--deadline", "soon"], "has to be a time such as 2s"),
        ] {
            let result = try program.run(arguments: ["ask", "erp"] + arguments)
            #expect(result.code == 2 && result.errors.contains(words), "\(arguments): \(result.errors)")
        }
        let erp = try ERPApplication(path: program.folder + "/data/erp.db")
        try await erp.file.setOutage(true)
        let down = try program.run("ask", "erp", "price", product)
        #expect(down.code == 1 && down.errors.contains("cannot say: erp cannot be reached"), "\(down.errors)")
        let json = try program.run("ask", "erp", "price", product, "--json")
        #expect(json.code == 1 && json.output.contains("\"cannotSay\":\"erp cannot be reached"), "\(json.output)")
    }
}
