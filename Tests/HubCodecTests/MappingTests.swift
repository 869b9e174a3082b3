import Foundation
import HubCodec
import HubModel
import Testing

@Suite struct MappingTests {
    static let order = """
        entity: order
        native: [sale.order, pos.order]
        when: { state: [sale, done], active: true }
        company: company_id
        keys: integer
        fields:
          customer: { path: partner_id, ref: customer }
          salesperson: { path: user_id, ref: employee, soft: true }
          buyerReference: client_order_ref
          status: { path: state, values: { confirmed: sale, closed: [done, locked] } }
          orderDate: { path: date_order, as: date, form: plain }
          shippingAddress:
            city: ship.town
            zip: { path: ship.zip, as: text, normalise: [trim, upper] }
          currency: { constant: EUR, path: currency, writeConstant: true }
          total.net: { path: amount, scale: 2 }
        lines:
          path: order_line
          key: id
          fields:
            product: { path: product_id, ref: product }
            quantity: { path: qty, scale: 3 }
            price.unit: { path: price_unit, scale: 4, float: true }
            note: { path: note, empty: false }
        """

    static func compile(_ text: String, base: [String: String] = [:], entity: EntityName? = nil) throws(MappingErrors) -> Mapping {
        try Mapping.compile(MappingSource(name: "order.yaml", text: text), application: "odoo", entity: entity) { name in
            base[name].map { MappingSource(name: name + ".yaml", text: $0) }
        }
    }

    static let document = """
        {"id": 42, "state": "sale", "active": true, "company_id": 3, "partner_id": 7, "user_id": 9,
         "client_order_ref": "PO \\u00e9 \\"1\\"",
         "date_order": "2026-03-01 23:30:00", "ship": {"town": "Lyon", "zip": 69001, "else": [1]}, "amount": 12.5, "unknown": {"a": [{}]},
         "order_line": [{"id": 1, "product_id": 11, "qty": 2, "price_unit": 6.250000000001, "note": false},
                        {"id": 2, "product_id": 12, "qty": 1.5, "price_unit": 0.1}]}
        """
    static let canonical: Fields = [
        "customer": "7", "salesperson": "9", "buyerReference": "PO é \"1\"", "status": "confirmed", "orderDate": "2026-03-02",
        "shippingAddress.city": "Lyon", "shippingAddress.zip": "69001", "currency": "EUR", "total.net": .number(Number(1250, scale: 2)),
        "lines": [
            [
                "id": "1", "product": "11", "quantity": .number(Number(2000, scale: 3)),
                "price": ["unit": .number(Number(62500, scale: 4))], "note": .null,
            ],
            ["id": "2", "product": "12", "quantity": .number(Number(1500, scale: 3)), "price": ["unit": .number(Number(1000, scale: 4))]],
        ],
    ]
    static let paris = TimeZone(identifier: "Europe/Paris")

    @Test func constantsThatOnlyGoOutAreWrittenWithACreate() throws {
        let mapping = try Self.compile(
            "entity: order\nnative: x\nfields:\n  a: p\n  kind: { path: state, constant: draft, writeConstant: true, direction: out }")
        #expect(try mapping.native(from: ["a": 1], creates: true) { _, _ in nil }.native == ["p": 1, "state": "draft"])
        #expect(try mapping.native(from: ["a": 1]) { _, _ in nil }.native == ["p": 1])
        #expect(try mapping.translate(["p": 1, "state": "sent"]) == ["a": 1])
    }

    @Test func translatesTheSameThreeWays() throws {
        let mapping = try Self.compile(Self.order)
        let document = try JSONDocument.parse(Self.document)
        #expect(try mapping.translate(document.root, timeZone: Self.paris) == Self.canonical)
        #expect(try mapping.translate(document.value, timeZone: Self.paris) == Self.canonical)
        var writer = JSONWriter()
        try mapping.encode(document.root, into: &writer, timeZone: Self.paris)
        #expect(try JSONDocument.parse(writer.bytes).value == .object(Self.canonical.nested()))
        let lines = #""lines":[{"id":"1","note":null,"price":{"unit":6.2500},"product":"11","quantity":2.000},"#
        #expect(writer.text.contains(lines))
        #expect(writer.text.contains(#""total":{"net":12.50}"#))
    }

    @Test func knowsWhatADocumentIs() throws {
        let mapping = try Self.compile(Self.order)
        #expect(mapping.natives == ["sale.order", "pos.order"])
        let root = try JSONDocument.parse(Self.document).root
        #expect(mapping.accepts(root))
        #expect(mapping.key(of: root) == "42")
        #expect(mapping.company(of: root) == "3")
        #expect(!mapping.accepts(try JSONDocument.parse(#"{"state": "draft", "active": true}"#).root))
        #expect(!mapping.accepts(try JSONDocument.parse(#"{"state": "sale", "active": 1}"#).root))
        #expect(!mapping.accepts(try JSONDocument.parse(#"{"state": "sale"}"#).root))
        #expect(mapping.key(of: try JSONDocument.parse(#"{"id": null}"#).root) == nil)
    }

    @Test func absentIsUnchangedAndNullIsNull() throws {
        let mapping = try Self.compile(
            "native: x\nentity: x\nfields: { a: p, b.c: q.r, d: { path: s, default: none } }\nlines: { path: l, fields: { e: f } }")
        let document = try JSONDocument.parse(#"{"q": {"r": null}, "s": null, "l": null}"#)
        #expect(try mapping.translate(document.root) == ["b.c": .null, "d": "none", "lines": []])
        var writer = JSONWriter()
        try mapping.encode(document.root, into: &writer)
        #expect(writer.text == #"{"b":{"c":null},"d":"none","lines":[]}"#)
        #expect(try mapping.translate(try JSONDocument.parse("{}").root).isEmpty)
    }

    @Test func lastOfRepeatedMembersCountsInPathsToo() throws {
        let mapping = try Self.compile("native: x\nentity: x\nfields: { a: q.r, b: q.s, c: t, d: { path: t, direction: in } }")
        let document = try JSONDocument.parse(#"{"q": {"r": 1, "s": 2}, "t": 1, "\u0071": {"s": 3}, "t": 5}"#)
        #expect(try mapping.translate(document.root) == ["b": 3, "c": 5, "d": 5])
        #expect(try mapping.translate(document.value) == ["b": 3, "c": 5, "d": 5])
    }

    @Test func readsPlacesInLists() throws {
        let mapping = try Self.compile(
            "native: x\nentity: x\nfields: { a: { path: pair.0, ref: y, direction: in }, b: { path: pair.1, direction: in } }")
        let document = try JSONDocument.parse(#"{"pair": [7, "Ann"]}"#)
        #expect(try mapping.translate(document.root) == ["a": "7", "b": "Ann"])
        #expect(try mapping.translate(document.value) == ["a": "7", "b": "Ann"])
    }

    @Test func resolvesReferences() throws {
        let mapping = try Self.compile(Self.order)
        var fields = Self.canonical
        let known = ["customer/7": "c-7", "product/11": "p-11"]
        let unresolved = mapping.resolveReferences(in: &fields) { entity, key in known["\(entity)/\(key)"].map { CanonicalID($0) } }
        #expect(
            unresolved == [
                UnresolvedReference(field: "salesperson", entity: "employee", key: "9", isSoft: true),
                UnresolvedReference(field: "lines[2].product", entity: "product", key: "12", isSoft: false),
            ])
        #expect(fields["customer"] == "c-7")
        #expect(!fields.names.contains("salesperson"))
        #expect(fields["lines"]?.array?.map { $0["product"] ?? nil } == ["p-11", "12"])
        struct Away: Error {}
        #expect(throws: Away.self) { try mapping.resolveReferences(in: &fields) { _, _ throws(Away) in throw Away() } }
    }

    @Test func writesBack() throws {
        let mapping = try Self.compile(Self.order)
        let (native, unresolved) = try mapping.native(from: Self.canonical, timeZone: Self.paris) { entity, id in
            entity == "employee" ? nil : NativeKey(id.rawValue)
        }
        #expect(unresolved == [UnresolvedReference(field: "salesperson", entity: "employee", key: "9", isSoft: true)])
        let expected: Fields = [
            "partner_id": 7, "client_order_ref": "PO é \"1\"", "state": "sale", "date_order": "2026-03-01 23:00:00",
            "ship": ["town": "Lyon", "zip": "69001"], "currency": "EUR", "amount": .number(Number(1250, scale: 2)),
            "order_line": [
                [
                    "id": 1, "product_id": 11, "qty": .number(Number(2000, scale: 3)), "price_unit": .number(Number(62500, scale: 4)),
                    "note": false,
                ],
                ["id": 2, "product_id": 12, "qty": .number(Number(1500, scale: 3)), "price_unit": .number(Number(1000, scale: 4))],
            ],
        ]
        #expect(native == expected)
        // Only what was asked for, nested members merged.
        let part = try mapping.native(from: ["shippingAddress.zip": "1", "status": "closed"]) { _, _ in nil }
        #expect(part.native == ["ship": ["zip": "1"], "state": "done"])
    }

    @Test func comparesAsTheApplicationDoes() throws {
        let mapping = try Self.compile(
            """
            native: x
            entity: x
            fields:
              n: { path: n, normalise: [trim, collapse, lower] }
              d: { path: d, scale: 2 }
              t: { path: t, as: instant }
              p: p
              e: { path: e, scale: 2, empty: [0] }
            lines: { path: l, key: id, fields: { q: { path: q, scale: 1 }, r: { path: r, normalise: trim } } }
            """)
        #expect(mapping.same("n", "  Ann \u{a0}\t Lee ", "ann lee"))
        #expect(!mapping.same("n", "annlee", "ann lee"))
        #expect(mapping.same("d", .number(Number(12499, scale: 4)), .number(Number(125, scale: 2))))
        #expect(!mapping.same("d", .number(Number(12449, scale: 4)), .number(Number(125, scale: 2))))
        #expect(mapping.same("t", "2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00.000Z"))
        #expect(!mapping.same("t", "2026-03-01T12:00:00+02:00", "2026-03-01T12:00:00Z"))
        #expect(!mapping.same("p", "a", "A"))
        #expect(mapping.same("unmapped", "a", "a"))
        // To an application whose nothing is 0, both are the same.
        #expect(mapping.same("e", .null, .number(Number(0, scale: 2))))
        #expect(!mapping.same("e", .null, 1))
        #expect(!mapping.same("d", .null, 0))
        let one: Value = [["id": "1", "q": .number(Number(104, scale: 2)), "r": " a"], ["id": "2", "q": .null]]
        let two: Value = [["id": "2"], ["id": "1", "q": 1, "r": "a"]]
        #expect(mapping.same("lines", one, two))
        #expect(!mapping.same("lines", one, [["id": "1", "q": 1, "r": "a"]]))
        #expect(!mapping.same("lines", one, [["id": "2"], ["id": "1", "q": 2, "r": "a"]]))
    }

    @Test func overlaysWhatItExtends() throws {
        let base = [
            "builtin": """
            native: res.partner
            entity: customer
            when: { customer_rank: 1 }
            fields: { name: name, address: { city: city, zip: zip }, phone: phone, vat: { path: vat, as: text } }
            lists: { contacts: { path: child_ids, key: id, fields: { name: name, mail: email } },
                     banks: { path: bank_ids, fields: { iban: acc } } }
            """
        ]
        let mapping = try Self.compile(
            """
            extends: builtin
            when: null
            fields: { phone: null, address.city: town, note: comment, vat: tax }
            lists: { banks: null, contacts: { fields: { mail: null, phone: mobile } } }
            """, base: base)
        #expect(mapping.entity == "customer")
        #expect(mapping.native == "res.partner")
        #expect(mapping.conditions.isEmpty)
        #expect(mapping.fields.map(\.name) == ["address.city", "address.zip", "name", "note", "vat"])
        #expect(mapping.field(named: "address.city")?.path == ["town"])
        #expect(mapping.field(named: "vat")?.kind == .any)
        #expect(mapping.lists.map(\.name) == ["contacts"])
        #expect(mapping.list(named: "contacts")?.key == ["id"])
        #expect(mapping.list(named: "contacts")?.fields.map(\.name) == ["name", "phone"])
        let without = try Self.compile("extends: builtin\nfields: { address: null }", base: base)
        #expect(without.fields.map(\.name) == ["name", "phone", "vat"])
        #expect(without.version != mapping.version)
    }

    @Test func versionDependsOnMeaningOnly() throws {
        let one = try Self.compile("native: x\nentity: e\nfields: { a: p, b: { path: q, scale: 2 } }")
        let two = try Self.compile("# comment\nentity: e\nfields:\n  b: { scale: 2, path: q }\n  a: p\nnative: x")
        let three = try Self.compile("native: x\nentity: e\nfields: { a: p, b: { path: q, scale: 3 } }")
        #expect(one.version == two.version)
        #expect(one.version != three.version)
        #expect(one.version.count == 16)
        #expect(try Self.compile("native: x\nfields: { a: p }", entity: "e").entity == "e")
    }

    @Test func sampleOfTheArchitecturePage() throws {
        let mapping = try Self.compile(
            """
            extends: builtin
            native: sale.order
            when: { state: [sale, done] }          # one native type can be several entities (a draft is a quote)
            company: company_id
            fields:
              customer:  { path: partner_id, ref: customer }
              buyerReference: client_order_ref
              orderDate: { path: date_order, as: date }     # in the company's time zone
            lines:
              path: order_line
              key: id
              fields:
                product:   { path: product_id, ref: product }
                quantity:  { path: product_uom_qty, scale: 3 }
                unitPrice: { path: price_unit, scale: 4 }
            """, base: ["builtin": "native: sale.order\nfields: { number: name }"], entity: "order")
        let document = try JSONDocument.parse(
            #"{"name":"S1","state":"done","company_id":1,"date_order":"2026-06-30T22:30:00Z","order_line":[{"id":5,"price_unit":1.5}]}"#)
        #expect(mapping.accepts(document.root))
        #expect(mapping.company(of: document.root) == "1")
        let expected: Fields = [
            "number": "S1", "orderDate": "2026-07-01", "lines": [["id": "5", "unitPrice": .number(Number(15000, scale: 4))]],
        ]
        #expect(try mapping.translate(document.root, timeZone: Self.paris) == expected)
    }
}
