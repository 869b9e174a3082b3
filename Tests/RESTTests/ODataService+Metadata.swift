import HubModel

@testable import StandIns

extension ODataService {
    /// What the service says of itself, as its tables are: CSDL 4.0 with an alias, annotations beside the types, and an enumeration.
    static func metadata(_ request: Request, _ state: State) -> Response {
        guard request.method == "GET", request.headers["accept"]?.contains("application/xml") == true else {
            return error(406, "BadRequest", "The metadata is XML.")
        }
        var types = ""
        var sets = ""
        var computed = ""
        for (set, table) in state.tables.sorted(by: { $0.key < $1.key }) {
            let type = Self.types[set] ?? set
            sets += "<EntitySet Name=\"\(set)\" EntityType=\"Microsoft.NAV.\(type)\"/>\n"
            types += "<EntityType Name=\"\(type)\" BaseType=\"NAV.document\">\n"
            for column in table.columns {
                let nullable = column.isRequired ? " Nullable=\"false\"" : ""
                types += "<Property Name=\"\(column.name)\" \(kind(column.kind))\(nullable)/>\n"
                if column.isReadOnly {
                    computed += """
                        <Annotations Target="NAV.\(type)/\(column.name)"><Annotation Term="Org.OData.Core.V1.Computed"/></Annotations>

                        """
                }
            }
            if set == "salesOrders" {
                types += """
                    <Property Name="status" Type="NAV.orderStatus"/>
                    <NavigationProperty Name="salesOrderLines" Type="Collection(Microsoft.NAV.salesOrderLine)" ContainsTarget="true"/>

                    """
            }
            types += "</EntityType>\n"
        }
        var response = Response(200, nil, ["Content-Type": "application/xml"])
        response.text = """
            <?xml version="1.0" encoding="utf-8"?>
            <!-- A service for tests -->
            <edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
            <edmx:DataServices>
            <Schema Namespace="Microsoft.NAV" Alias="NAV" xmlns="http://docs.oasis-open.org/odata/ns/edm">
            <EnumType Name="orderStatus"><Member Name="Draft" Value="0"/><Member Name="Open" Value="1"/></EnumType>
            <EntityType Name="document" Abstract="true">
            <Key><PropertyRef Name="id"/></Key>
            <Property Name="id" Type="Edm.Guid" Nullable="false"/>
            <Property Name="lastModifiedDateTime" Type="Edm.DateTimeOffset"/>
            </EntityType>
            \(types)<EntityContainer Name="NAV">
            \(sets)</EntityContainer>
            \(computed)</Schema>
            </edmx:DataServices>
            </edmx:Edmx>
            """
        return response
    }

    private static func kind(_ kind: Table.Kind) -> String {
        switch kind {
        case .text(let most): "Type=\"Edm.String\" MaxLength=\"\(most)\""
        case .decimal(let scale): "Type=\"Edm.Decimal\" Precision=\"18\" Scale=\"\(scale)\""
        case .date: "Type=\"Edm.Date\""
        case .boolean: "Type=\"Edm.Boolean\""
        case .integer: "Type=\"Edm.Int32\""
        case .list: "Type=\"Collection(Edm.String)\""
        case .reference: "Type=\"Edm.Guid\""
        }
    }
}
