import HubDriver
import Testing

@testable import REST

@Suite("REST: OData's own description")
struct ODataModelTests {
    private func model(_ schema: String) throws -> ODataModel {
        try ODataModel(
            Array(
                """
                <edmx:Edmx Version="4.01"><edmx:DataServices>
                <Schema Namespace="Other" Alias="O">
                  <ComplexType Name="Address"><Property Name="City" Type="Edm.String" MaxLength="30" Nullable="false"/>
                    <Property Name="Place" Type="O.Point"/></ComplexType>
                  <ComplexType Name="Point"><Property Name="Lat" Type="Edm.Decimal" Precision="9" Scale="6"/></ComplexType>
                  <TypeDefinition Name="Money" UnderlyingType="Edm.Decimal"/>
                </Schema>
                <Schema Namespace="Shop.Model" Alias="Self">\(schema)</Schema>
                </edmx:DataServices></edmx:Edmx>
                """.utf8))
    }

    private func fields(_ schema: String, _ name: String, _ expanded: Set<String> = []) throws -> [DiscoveredField] {
        let model = try model(schema)
        return model.fields(try #require(model.type(name)), expanded: expanded).all
    }

    @Test("Complex types, collections, type definitions, and types of other schemas")
    func kinds() throws {
        let type = """
            <EntityType Name="Customer">
              <Property Name="Home" Type="O.Address"/><Property Name="Sites" Type="Collection(Other.Address)"/>
              <Property Name="Tags" Type="Collection(Edm.String)"/><Property Name="Limit" Type="O.Money" Nullable="false" DefaultValue="0"/>
              <Property Name="Photo" Type="Edm.Stream"/><Property Name="Where" Type="Edm.GeographyPoint"/>
              <Property Name="Active" Type="Edm.Boolean" Nullable="false"/><Property Name="Made" Type="Edm.DateTimeOffset" Precision="3">
                <Annotation Term="Org.OData.Core.V1.Permissions">
                  <EnumMember>Org.OData.Core.V1.Permission/Read</EnumMember></Annotation>
                <Annotation Term="com.sap.vocabularies.Common.v1.Label" String="Made on"/></Property>
              <NavigationProperty Name="Orders" Type="Collection(Self.Order)"/>
            </EntityType>
            """
        let found = try fields(type, "Shop.Model.Customer")
        let kinds = Dictionary(uniqueKeysWithValues: found.map { ($0.path, $0.kind) })
        #expect(
            kinds == [
                "Home": .object, "Home.City": .text, "Home.Place": .object, "Home.Place.Lat": .number, "Sites": .list, "Sites.City": .text,
                "Sites.Place": .object, "Sites.Place.Lat": .number, "Tags": .list, "Limit": .number, "Photo": .binary, "Where": .other,
                "Active": .boolean, "Made": .instant,
            ])
        #expect(found.filter(\.isRequired).map(\.path) == ["Home.City", "Sites.City", "Active"])
        let made = try #require(found.first { $0.path == "Made" })
        #expect(made.isReadOnly && made.label == "Made on" && made.nativeKind == "Edm.DateTimeOffset(3)")
        #expect(found.first { $0.path == "Home.Place.Lat" }?.nativeKind == "Edm.Decimal(9,6)")
        #expect(found.first { $0.path == "Sites" }?.nativeKind == "Collection(Other.Address)")
    }

    @Test("A type is found by its set, its name, a singleton, and a navigation property that leads to it")
    func names() throws {
        let model = try model(
            """
            <EntityType Name="Order"><NavigationProperty Name="lines" Type="Collection(Self.Line)" ContainsTarget="true"/></EntityType>
            <EntityType Name="Line"><Property Name="n" Type="Edm.Int32"/></EntityType>
            <EntityContainer Name="C"><EntitySet Name="orders" EntityType="Self.Order"/><Singleton Name="me" Type="Self.Line"/>
            </EntityContainer>
            """)
        #expect(model.type("orders") == "Shop.Model.Order" && model.type("Order") == "Shop.Model.Order")
        #expect(model.type("me") == "Shop.Model.Line" && model.type("lines") == "Shop.Model.Line" && model.type("nothing") == nil)
        #expect(model.fields("Shop.Model.Order", expanded: ["lines"]).all.map(\.path) == ["lines", "lines.n"])
        #expect(model.fields("Shop.Model.Order", expanded: []).all.isEmpty)
    }

    @Test("Types that hold or inherit themselves end")
    func cycles() throws {
        let found = try fields(
            """
            <ComplexType Name="Node" BaseType="Self.Node"><Property Name="v" Type="Edm.Int32"/>
              <Property Name="next" Type="Self.Node"/></ComplexType>
            """, "Node")
        #expect(found.map(\.path) == ["v", "next"])
    }

    @Test("What is expanded is read out of the recipe's words")
    func expanded() throws {
        let text = """
            protocol: odata
            identity: { path: /me }
            entities:
              - native: item
                entity: product
                set: "/companies({company})/items"
                keys: text
                key: id
                reference: ref
                perCompany: true
                expand: "lines($select=a,b;$expand=c(d,e)), customer"
            """
        let recipe = try RecipeReader.recipe(text, file: "shop.yaml")
        #expect(recipe.entities[0].expanded == ["lines", "customer"] && recipe.entities[0].schema == "items")
        #expect(recipe.discovery?.form == .edmx && recipe.discovery?.path.source == "/$metadata")
    }
}
