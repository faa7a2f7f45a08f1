"""The GraphQL documents our client sends; a test validates each against `schema.graphql`."""

from __future__ import annotations

_SCAN = """scan {
      id state stage revision createdAt startedAt finishedAt seen new changed returned unchanged vanished
      probed probeFailures skipped error notes
    }"""

_DATASOURCE = f"""{{
    id name rootUrl integrationStatus preprocessingStatus type createdBy createdAt
    metadataFields {{ name valueType multiple tags description automatic }}
    {_SCAN}
  }}"""

DATASOURCES = f"""query datasource($id: ID, $name: String) {{
  datasource(id: $id, name: $name) {_DATASOURCE}
}}"""

DATASETS = f"""query dataset($id: ID, $name: String) {{
  dataset(dataset: $id, name: $name) {{
    id name datasetQuery createdBy createdAt
    datasource {_DATASOURCE}
  }}
}}"""

COUNT = """query datapointCount($datasource: ID!, $queryInput: QueryInput) {
  datapointCount(datasource: $datasource, filter: $queryInput)
}"""

COMMITS = """query commits($datasource: ID!, $first: Int) {
  commits(datasource: $datasource, first: $first) { id at author message kind extra }
}"""

CREATE_DATASOURCE = f"""mutation createDatasource($name: String!, $url: String!, $dsType: DatasourceType!) {{
  createDatasource(name: $name, url: $url, dsType: $dsType) {_DATASOURCE}
}}"""

DELETE_DATASOURCE = """mutation deleteDatasource($id: ID!) {
  deleteDatasource(id: $id) { id }
}"""

SCAN_DATASOURCE = f"""mutation scanDatasource($id: ID!, $options: [ScanOption]) {{
  scanDatasource(id: $id, options: $options) {_DATASOURCE}
}}"""

CANCEL_SCAN = f"""mutation cancelScan($id: ID!) {{
  cancelScan(id: $id) {_DATASOURCE}
}}"""

SAVE_DATASET = """mutation saveDataset($datasource: ID!, $name: String!, $filter: QueryInput!) {
  saveDataset(datasource: $datasource, name: $name, filter: $filter) { id name createdAt }
}"""

DELETE_DATASET = """mutation deleteDataset($id: ID!) {
  deleteDataset(id: $id) { id }
}"""

DELETE_METADATA = """mutation deleteMetadata($datasource: ID!, $datapoints: [DatapointMetadataDeleteInput!]!) {
  deleteMetadata(datasource: $datasource, datapoints: $datapoints) { path }
}"""

DELETE_DATAPOINTS = """mutation deleteDatapoints($datasource: ID!, $datapoints: [DatapointDeleteInput!]!) {
  deleteDatapoint(datasource: $datasource, datapoints: $datapoints) { path }
}"""

UPDATE_FIELDS = """mutation updateMetadataFieldProps($datasource: ID!, $props: [MetadataFieldPropsInput!]!) {
  updateMetadataFieldProps(datasource: $datasource, props: $props) { name valueType multiple tags }
}"""

ALL_DOCUMENTS = (
    DATASOURCES,
    DATASETS,
    COUNT,
    COMMITS,
    CREATE_DATASOURCE,
    DELETE_DATASOURCE,
    SCAN_DATASOURCE,
    CANCEL_SCAN,
    SAVE_DATASET,
    DELETE_DATASET,
    DELETE_METADATA,
    DELETE_DATAPOINTS,
    UPDATE_FIELDS,
)
