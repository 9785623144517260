/**
 * Operations that CloudTrail records as data events, which LookupEvents never shows (CloudTrail User Guide: Lambda Invoke, S3 object
 * operations, DynamoDB items, SNS Publish, Kinesis, Firehose, EventBridge, SES sending, CloudWatch metrics). Everything
 * else is a management event: Cognito user pools, KMS and Textract too.
 */
const DATA_EVENTS: Readonly<Record<string, RegExp>> = {
  lambda: /^Invoke/,
  s3: /^(Get|Put|Delete|Head|Copy|List|Restore|Select|Upload|Create|Complete|Abort)(Objects?|ObjectsV2|ObjectVersions|ObjectContent|ObjectTagging|ObjectAcl|Parts?|PartCopy|MultipartUploads?)$/,
  dynamodb: /Item|Items$|^(Query|Scan|ExecuteStatement|BatchExecuteStatement|ExecuteTransaction|GetRecords)$/,
  sns: /^Publish/,
  kinesis: /^(Put|Get)Records?$/,
  firehose: /^PutRecord/,
  events: /^PutEvents$/,
  ses: /^Send/,
  monitoring: /^(PutMetricData|GetMetricData|GetMetricStatistics)$/,
  "rds-data": /./,
};

export const isManagementEvent = (service: string, operation: string): boolean =>
  DATA_EVENTS[service]?.test(operation) !== true;

/** IAM's events are in us-east-1, as are those of STS's global endpoint, which signs for that Region; all others where they happened (CloudTrail API). */
export const eventRegion = (service: string, region: string): string =>
  ["iam", "cloudfront"].includes(service) ? "us-east-1" : region;
