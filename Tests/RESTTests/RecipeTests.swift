import Foundation
import HubCodec
import HubDriver
import HubModel
import Testing

@testable import REST

@Suite("REST: recipes")
struct RecipeTests {
    private func mistake(_ text: String) -> String {
        do {
            _ = try RecipeReader.recipe(text, file: "shop.yaml")
            return ""
        } catch { return error.message }
    }

    private func entity(_ lines: String) -> String {
        """
        url: https://shop.example
        identity: { path: /me }
        entities:
          - native: item
            entity: product
            key: id
        \(lines.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        """
    }

    @Test("Mistakes name file, line and entry")
    func mistakes() {
        let cases: [(String, [String])] = [
            ("", ["shop.yaml:1", "empty"]), ("a: [", ["shop.yaml:"]), ("identity: { path: /me }\nentitys: []", ["shop.yaml:2", "entitys"]),
            (entity("read: { path: '/items/{ky}' }"), ["shop.yaml:7", "entities[0].read", "{ky}"]),
            (entity("read: { path: '/items/{key' }"), ["shop.yaml:7", "no }"]),
            (entity("create: { path: /items }"), ["shop.yaml:7", "lookUp"]),
            (entity("update: { path: '/items/{key}' }"), ["shop.yaml:7", "read"]),
            (entity("delete: { path: '/items/{key}', once: true }"), ["shop.yaml:7", "once", "create"]),
            (
                entity("read: { path: '/items/{key}' }\ndelete: { method: PATCH, path: '/items/{key}', with: { off: true } }"),
                ["shop.yaml:8", "archived"]
            ),
            (entity("list: { path: '/items?o={offset}', paging: offset }"), ["shop.yaml:7", "{limit}"]),
            (entity("list: { path: /items, paging: page }"), ["shop.yaml:7", "{page}"]),
            (entity("list: { path: /items, paging: cursor }"), ["shop.yaml:7", "next"]),
            (entity("changes: { path: /items, paging: none, member: at }"), ["shop.yaml:7", "{since}"]),
            (entity("set: /items"), ["shop.yaml:7", "odata"]), (entity("token: { member: v, header: ETag }"), ["shop.yaml:7", "both"]),
            (entity("transitions: { draft: [sent] }"), ["shop.yaml:7", "sent"]),
            (entity("rules: [bad]"), ["shop.yaml:7", "bad"]), (entity("read: { path: '/{company}/items/{key}' }"), ["perCompany"]),
            (entity("") + "\nlimits: { reserve: 10, reserveFor: [create] }", ["limits.reserve", "perDay"]),
            (entity("") + "\nlimits: { perDay: 10, reserve: 5 }", ["reserveFor"]),
            (entity("") + "\nlimits: { perDay: 10, reserve: 5, reserveFor: [creates] }", ["creates"]),
            (entity("") + "\nerrors: { rules: [{ rule: x }] }", ["errors.rules", "fits everything"]),
            (entity("") + "\nbatch: { path: /b }", ["batch", "odata"]),
            (entity("texts: { name: {} }"), ["shop.yaml:7", "texts.name", "without or most"]),
            (entity("texts: { name: { in: bytes, without: [nul] } }"), ["shop.yaml:7", "texts.name.in", "most"]),
            (entity("texts: { name: { without: [emoji] } }"), ["shop.yaml:7", "emoji", "supplementary"]),
            (entity("") + "\ntexts: { name: { most: 0 } }", ["texts.name.most"]),
            (entity("") + "\ndiscovery: { form: edmx }", ["discovery", "path is missing"]),
            (entity("") + "\nauthentication: { kind: header }", ["header is missing"]),
            (entity("") + "\nsettings: [key]", ["settings", "key"]),
            (entity("") + "\nfunctions: { price: { path: '/p?x={y}', results: { price: p } } }", ["functions.price.path", "{y}"]),
        ]
        for (text, words) in cases {
            let told = mistake(text)
            for word in words { #expect(told.contains(word), "\(text)\n→ \(told)") }
        }
        #expect(mistake(entity("read: { path: '/items/{key}' }")) == "")
    }

    @Test("Settings that a recipe needs are asked for")
    func settings() throws {
        let file = try RecipeFile(entity("read: { path: '/{shop}/{key}' }") + "\nsettings: [shop]\nauthentication: { kind: bearer }")
        for (values, word) in [(["token": "t"], "shop"), (["shop": "1"], "token"), (["shop": "1", "token": "a\u{1}b"], "control")] {
            let error = #expect(throws: DriverError.self) { _ = try file.driver(values) }
            #expect(error?.code == .configuration && error?.message.contains(word) == true, "\(String(describing: error))")
        }
        let driver = try file.driver(["shop": "1", "token": "t\n"])
        #expect(driver.manifest.entities.map(\.native) == ["item"])
        #expect(RESTFactory.settings.filter(\.isSecret).map(\.name).sorted() == ["clientSecret", "key", "password", "token"])
        #expect(throws: DriverError.self) { try RESTFactory.make(DriverSettings(application: "x", values: ["recipe": "/no/such/file"])) }
    }

    @Test("What the driver ships is sound: recipes, and mappings for their types", arguments: ["business-central", "sdata", "tryton"])
    func shipped(name: String) throws {
        let text = try RecipeFile.shipped("\(name)/recipe.yaml")
        let recipe = try RecipeReader.recipe(text, file: "recipe.yaml")
        #expect(recipe.manifest.contradictions(looksUp: true, reads: true) == [])
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let file = here.appendingPathComponent("../../drivers/REST/recipes/\(name)/recipe.yaml").standardized.path
        let mappings = try RESTFactory.mappings(DriverSettings(application: "x", values: ["recipe": file]))
        #expect(mappings.count == recipe.entities.count)
        for source in mappings {
            let mapping = try Mapping.compile(MappingSource(name: source.fileName, text: source.text), application: "x")
            #expect(recipe.entities.contains { $0.native == mapping.native && $0.entity == mapping.entity }, "\(source.fileName)")
        }
    }

    @Test("A Business Central order becomes a canonical one and back")
    func mapping() throws {
        let source = try RecipeFile.shipped("business-central/mappings/order.yaml")
        let mapping = try Mapping.compile(MappingSource(name: "order.yaml", text: source), application: "bc")
        let native: Value = [
            "customerId": "c1", "orderDate": "2026-03-01", "number": "S-ORD1", "status": "Draft",
            "totalAmountIncludingTax": number("60.00"),
            "salesOrderLines": [["sequence": 10_000, "itemId": "i1", "quantity": 2, "unitPrice": number("24.99")]],
        ]
        let canonical = try mapping.translate(native)
        #expect(canonical["customer"] == "c1" && canonical["lines"]?.array?.first?["unitPrice"] == number("24.99"))
    }
}
