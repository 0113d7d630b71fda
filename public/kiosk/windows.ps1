# Makes this Windows 11 computer a query machine. Runs as SYSTEM:
#   psexec.exe -i -s powershell.exe -ExecutionPolicy Bypass -File windows.ps1 -Site YOUR-SITE -Page https://YOUR-SITE/kiosk
param([Parameter(Mandatory)][string]$Site, [Parameter(Mandatory)][string]$Page)
$ErrorActionPreference = "Stop"

$key = "HKLM:\SOFTWARE\Policies\Google\Chrome"
foreach ($list in @{ URLBlocklist = "*"; URLAllowlist = $Site; ExtensionInstallBlocklist = "*" }.GetEnumerator()) {
  New-Item -Path "$key\$($list.Key)" -Force | Out-Null
  Set-ItemProperty -Path "$key\$($list.Key)" -Name "1" -Value $list.Value
}
$numbers = @{
  DeveloperToolsAvailability = 2; DownloadRestrictions = 3; PrintingEnabled = 0; PasswordManagerEnabled = 0
  AutofillAddressEnabled = 0; AutofillCreditCardEnabled = 0; IncognitoModeAvailability = 1; BrowserSignin = 0
  SyncDisabled = 1; TranslateEnabled = 0
}
foreach ($one in $numbers.GetEnumerator()) { Set-ItemProperty -Path $key -Name $one.Key -Value $one.Value -Type DWord }

$xml = (Get-Content -Raw -Encoding UTF8 "$PSScriptRoot\assigned-access.xml").Replace("PAGE", $Page)
$access = Get-CimInstance -Namespace "root\cimv2\mdm\dmmap" -ClassName "MDM_AssignedAccess"
$access.Configuration = [System.Net.WebUtility]::HtmlEncode($xml)
Set-CimInstance -CimInstance $access
